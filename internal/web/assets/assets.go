// Package assets holds what browsers fetch beside pages: one stylesheet, the scripts, the operator's logo and colour. Each is served at an
// address that holds a hash of its bytes, so a browser may keep it for ever and a new release is seen at once.
//
// dist is built by build.sh from src and from the packages that package.json pins. What is built is committed: the program is built without Node.
package assets

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
)

//go:embed dist
var dist embed.FS

// Prefix is the folder that all addresses are in.
const Prefix = "/assets/"

// The names of what is always there.
const (
	CSS     = "app.css"
	App     = "app.js"     // copy buttons, theme, forms that send themselves
	Submit  = "submit.js"  // sends the page's only form
	Passkey = "passkey.js" // makes a passkey or signs in by one
	HTMX    = "htmx.min.js"
	SSE     = "hx-sse.min.js"
	Brand   = "brand.css" // the operator's colour, see Stylesheet
	Icon    = "icon.svg"  // of the window
)

// File is something to serve. Its type follows from the ending of its name.
type File struct {
	Name string // "logo.svg"
	Body []byte
}

// Set is files with their addresses. Safe for use by many goroutines.
type Set struct{ byName map[string]*served }

type served struct {
	url    string
	body   []byte
	packed []byte // gzip; nil where that is no smaller
	kind   string
	image  bool
}

// kinds are the types that are served; anything else is refused when the program starts.
var kinds = map[string]string{
	".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml", ".png": "image/png", ".webp": "image/webp", ".jpg": "image/jpeg", ".ico": "image/x-icon",
}

// own are the program's files, read and compressed once for the process.
var own = sync.OnceValues(func() ([]*served, error) {
	names, err := fs.Glob(dist, "dist/*.*")
	if err != nil {
		return nil, err
	}
	var out []*served
	for _, name := range names {
		if kinds[path.Ext(name)] == "" {
			continue
		}
		body, err := dist.ReadFile(name)
		if err != nil {
			return nil, err
		}
		s, err := serve(File{Name: path.Base(name), Body: body})
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
})

// New makes the set of the program's files and more. It refuses a type that browsers are not given.
func New(more ...File) (*Set, error) {
	ours, err := own()
	if err != nil {
		return nil, fmt.Errorf("read the assets: %w", err)
	}
	set := &Set{byName: map[string]*served{}}
	for _, s := range ours {
		set.byName[nameOf(path.Base(s.url))] = s
	}
	for _, f := range more {
		s, err := serve(f)
		if err != nil {
			return nil, err
		}
		set.byName[f.Name] = s
	}
	return set, nil
}

func serve(f File) (*served, error) {
	ext := path.Ext(f.Name)
	kind := kinds[ext]
	if kind == "" {
		return nil, fmt.Errorf("asset %s: its type is none that is served", f.Name)
	}
	sum := sha256.Sum256(f.Body)
	s := &served{
		url:  Prefix + strings.TrimSuffix(f.Name, ext) + "." + hex.EncodeToString(sum[:6]) + ext,
		body: f.Body, kind: kind, image: strings.HasPrefix(kind, "image/"),
	}
	var packed bytes.Buffer
	z, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := z.Write(f.Body); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	if packed.Len() < len(f.Body) {
		s.packed = packed.Bytes()
	}
	return s, nil
}

// nameOf takes the hash out of "app.0123456789ab.css".
func nameOf(base string) string {
	ext := path.Ext(base)
	rest := strings.TrimSuffix(base, ext)
	hash := path.Ext(rest)
	return strings.TrimSuffix(rest, hash) + ext
}

// URL is the address of a file by its name, or "" where there is none.
func (s *Set) URL(name string) string {
	if f := s.byName[name]; f != nil {
		return f.url
	}
	return ""
}

// ServeHTTP answers GET and HEAD below Prefix. A hash that is not the present one is answered with the present file, which nobody may keep: while
// replicas are upgraded one after the other, a page of the new release may ask the old one.
func (s *Set) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f := s.byName[nameOf(strings.TrimPrefix(r.URL.Path, Prefix))]
	switch {
	case f == nil:
		http.Error(w, "There is no such file.", http.StatusNotFound)
		return
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "Files are fetched by GET.", http.StatusMethodNotAllowed)
		return
	}
	h, body := w.Header(), f.body
	h.Set("Cache-Control", "no-cache")
	if r.URL.Path == f.url {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	h.Set("Content-Type", f.kind)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Vary", "Accept-Encoding")
	if f.image {
		// An image may be opened as a page of its own; what an SVG then holds runs nowhere.
		h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	}
	if f.packed != nil && acceptsGzip(r.Header.Get("Accept-Encoding")) {
		h.Set("Content-Encoding", "gzip")
		body = f.packed
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if r.Method == http.MethodHead {
		return
	}
	_, _ = w.Write(body) // a client that has gone away has nobody to be told to
}

// acceptsGzip reads a header as browsers write it; "gzip;q=0" refuses (RFC 9110 section 12.5.3).
func acceptsGzip(header string) bool {
	for _, one := range strings.Split(header, ",") {
		name, q, _ := strings.Cut(strings.TrimSpace(one), ";")
		if strings.EqualFold(strings.TrimSpace(name), "gzip") {
			q = strings.ReplaceAll(q, " ", "")
			return q != "q=0" && q != "q=0.0" && q != "q=0.00" && q != "q=0.000"
		}
	}
	return false
}
