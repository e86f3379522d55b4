package portal

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"

	"github.com/a-h/templ"

	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/lifecycle"
	"github.com/rollcallhq/rollcall/internal/web"
	"github.com/rollcallhq/rollcall/internal/web/ui"
)

const (
	comparePath     = "/portal/compare"
	comparedShown   = 100     // of each kind of difference
	comparedAtOnce  = 2       // in a process: each holds the people of an organization in memory
	uploadOverhead  = 1 << 20 // bytes around the file
	uploadFieldSize = 64 << 10
)

// multipartForm is the kind of a form that has a file in it (RFC 7578).
const multipartForm = "multipart/form-data"

// uploads says whether a page takes a file.
func (r row) uploads() bool { return r.pattern == comparePath }

// readUpload reads a form with a file. The file is kept in memory for as long as the request.
func (v *visit) readUpload() error {
	_, parameters, err := mime.ParseMediaType(v.r.Header.Get("Content-Type"))
	if err != nil || parameters["boundary"] == "" {
		return errForm()
	}
	body, err := web.ReadBody(v.r, maxList+uploadOverhead)
	if err != nil {
		return err
	}
	v.form = url.Values{}
	parts := multipart.NewReader(bytes.NewReader(body), parameters["boundary"])
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return errForm()
		}
		if err := v.takePart(part); err != nil {
			return err
		}
	}
}

func errForm() error { return fault.New(fault.Invalid, "invalid_request", "The form cannot be read.") }

func (v *visit) takePart(part *multipart.Part) error {
	limit := int64(uploadFieldSize)
	if part.FileName() != "" {
		limit = maxList
	}
	content, err := io.ReadAll(io.LimitReader(part, limit+1))
	switch {
	case err != nil:
		return errForm()
	case int64(len(content)) > limit:
		return fault.New(fault.TooLarge, "too_large", "%s", v.t("portal.compare_large", "megabytes", maxList>>20)) //nolint:mnd // bytes of a megabyte
	case part.FormName() == "list":
		v.file = content
	case !web.IsText(part.FormName()) || !web.IsText(string(content)):
		return errForm()
	default:
		v.form.Add(part.FormName(), string(content))
	}
	return nil
}

// compareView is the page of the comparison.
type compareView struct {
	Form   ui.FormProps
	Wrong  string
	Result *lifecycle.Comparison
}

func showCompare(c *call) error { return c.comparePage(http.StatusOK, "", nil) }

func (c *call) comparePage(status int, wrong string, result *lifecycle.Comparison) error {
	v := compareView{Form: c.formTo(comparePath), Wrong: wrong, Result: result}
	v.Form.Attrs = templ.Attributes{"class": "stack", "enctype": multipartForm}
	c.w.Header().Set("Cache-Control", "no-store")
	title := c.t("portal.compare_title")
	return c.page(status, c.shell(title), under(c.tabs(), comparePage(v)))
}

// takeCompare compares the file with who is here. Nothing of it is kept.
func takeCompare(c *call) error {
	select {
	case c.s.comparing <- struct{}{}:
		defer func() { <-c.s.comparing }()
	default:
		return fault.New(fault.Limited, "too_many_requests", "%s", c.t("portal.compare_busy"))
	}
	list, err := readList(c.file)
	if f, ok := fault.As(err); ok && f.Kind == fault.Unprocessable {
		return c.comparePage(http.StatusUnprocessableEntity, f.Message, nil)
	}
	if err != nil {
		return err
	}
	result, err := c.s.o.Healths.Compare(c.ctx(), string(c.org()), list, comparedShown)
	if err != nil {
		return err
	}
	return c.comparePage(http.StatusOK, "", &result)
}
