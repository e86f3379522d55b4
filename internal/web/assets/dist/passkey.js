// Makes a passkey, or signs in by one: the page's form [data-passkey] asks its data-begin what to ask the device, and carries the answer home.
(() => {
  "use strict";
  const form = document.querySelector("form[data-passkey]");
  if (!form || !window.PublicKeyCredential) {
    return;
  }
  for (const button of form.querySelectorAll("[data-passkey-button]")) {
    button.hidden = false;
  }

  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const known = (list) => (list ?? []).map((c) => ({ ...c, id: bytes(c.id) }));

  const begin = async () => {
    const body = new URLSearchParams(new FormData(form));
    const answer = await fetch(form.dataset.begin, { method: "POST", body, headers: { Accept: "application/json" } });
    if (!answer.ok) {
      throw new Error(`status ${answer.status}`);
    }
    return answer.json();
  };

  const make = async (o) => {
    const c = await navigator.credentials.create({
      publicKey: { ...o, challenge: bytes(o.challenge), user: { ...o.user, id: bytes(o.user.id) }, excludeCredentials: known(o.excludeCredentials) },
    });
    const transports = c.response.getTransports?.() ?? [];
    return [c, { clientDataJSON: text(c.response.clientDataJSON), attestationObject: text(c.response.attestationObject), transports }];
  };

  const show = async (o) => {
    const c = await navigator.credentials.get({ publicKey: { ...o, challenge: bytes(o.challenge), allowCredentials: known(o.allowCredentials) } });
    const r = c.response;
    return [c, {
      clientDataJSON: text(r.clientDataJSON), authenticatorData: text(r.authenticatorData), signature: text(r.signature),
      userHandle: r.userHandle ? text(r.userHandle) : undefined,
    }];
  };

  const say = (which) => {
    for (const line of form.querySelectorAll("[data-passkey-error]")) {
      line.hidden = line.dataset.passkeyError !== which;
    }
  };

  let busy = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (busy) {
      return;
    }
    busy = true;
    say("");
    try {
      const { key, options } = await begin();
      const [c, response] = await (form.dataset.passkey === "make" ? make : show)(options.publicKey);
      form.elements.key.value = key;
      form.elements.response.value = JSON.stringify({
        id: c.id, rawId: text(c.rawId), type: c.type, response, clientExtensionResults: {}, authenticatorAttachment: c.authenticatorAttachment ?? undefined,
      });
      form.submit();
    } catch (error) {
      say(error.name === "InvalidStateError" ? "known" : error.name === "NotAllowedError" ? "cancelled" : "failed");
    }
    busy = false;
  });
})();
