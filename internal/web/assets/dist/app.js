// What a script adds to pages that work without it. It listens at the document, so what arrives later needs no setting up.
(() => {
  "use strict";
  const root = document.documentElement;
  root.classList.add("js");

  const say = (text) => {
    const live = document.getElementById("live");
    if (live) {
      live.textContent = "";
      setTimeout(() => { live.textContent = text; }, 50);
    }
  };

  const select = (element) => {
    const range = document.createRange();
    range.selectNodeContents(element);
    const selection = getSelection();
    selection.removeAllRanges();
    selection.addRange(range);
  };

  const copy = async (button) => {
    const source = document.getElementById(button.dataset.copy);
    if (!source) {
      return;
    }
    try {
      await navigator.clipboard.writeText(source.textContent);
    } catch {
      select(source); // no clipboard without TLS: it is marked, so that the keyboard can take it
      if (!document.execCommand("copy")) {
        return;
      }
    }
    say(button.dataset.copied);
    button.setAttribute("data-done", "");
    setTimeout(() => button.removeAttribute("data-done"), 2000);
  };

  const dark = () => root.classList.contains("dark") || (!root.classList.contains("light") && matchMedia("(prefers-color-scheme: dark)").matches);

  const theme = () => {
    const next = dark() ? "light" : "dark";
    root.classList.remove("light", "dark");
    root.classList.add(next);
    const secure = location.protocol === "https:" ? "; secure" : "";
    document.cookie = `rollcall-theme=${next}; path=/; max-age=31536000; samesite=lax${secure}`;
  };

  document.addEventListener("click", (event) => {
    const target = event.target instanceof Element ? event.target.closest("[data-copy],[data-theme-toggle],[data-dismiss]") : null;
    if (!target) {
      return;
    }
    if (target.hasAttribute("data-copy")) {
      copy(target);
    } else if (target.hasAttribute("data-theme-toggle")) {
      theme();
    } else {
      target.closest("[data-toast]")?.remove();
    }
  });

  // A file that is chosen is put into the field beside it; what is no text as base64.
  const fill = async (chooser) => {
    const into = document.getElementById(chooser.dataset.fileInto);
    const file = chooser.files[0];
    if (!into || !file) {
      return;
    }
    const bytes = new Uint8Array(await file.arrayBuffer());
    try {
      into.value = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    } catch {
      into.value = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
    }
  };

  document.addEventListener("change", (event) => {
    const target = event.target;
    if (target instanceof Element && target.hasAttribute("data-file-into")) {
      fill(target);
    }
    if (target instanceof Element && target.hasAttribute("data-auto-submit")) {
      target.form?.requestSubmit();
    }
  });

  // A button that was pressed is not pressed again while its form is on the way.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.hasAttribute("data-sent")) {
      event.preventDefault();
      return;
    }
    if (form.method === "post" && !form.matches("[hx-post],[hx-put],[hx-delete]")) {
      form.setAttribute("data-sent", "");
    }
  });
  addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) {
      form.removeAttribute("data-sent");
    }
  });

  // Good news goes by itself; what went wrong stays until it is put away.
  const fade = (toast) => {
    if (toast.dataset.tone === "bad" || toast.dataset.tone === "warn") {
      return;
    }
    const leave = () => {
      if (toast.matches(":hover, :focus-within")) {
        setTimeout(leave, 2000);
      } else {
        toast.remove();
      }
    };
    setTimeout(leave, 8000);
  };
  const notices = document.getElementById("notices");
  if (notices) {
    notices.querySelectorAll("[data-toast]").forEach(fade);
    new MutationObserver((changes) => {
      for (const change of changes) {
        for (const node of change.addedNodes) {
          if (node instanceof Element && node.matches("[data-toast]")) {
            fade(node);
          }
        }
      }
    }).observe(notices, { childList: true });
  }
})();
