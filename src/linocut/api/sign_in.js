// Signs in with a password, or uses the one-time link behind the # of this page's address.
"use strict";
const form = document.getElementById("form");
const said = document.getElementById("said");
const link = new URLSearchParams(location.hash.slice(1)).get("link");
if (link) {
  document.getElementById("about").textContent =
    "Choose a password of at least 10 characters. The first owner gives an e-mail address too; others may leave it empty.";
  form.account.required = false;
  form.password.autocomplete = "new-password";
  form.querySelector("button").textContent = "Go on";
}
async function ask(path, body) {
  const answer = await fetch(path, {
    method: "POST", credentials: "same-origin",
    headers: { "Content-Type": "application/json", "X-Linocut-Console": "1" }, body: JSON.stringify(body),
  });
  return [answer.ok, await answer.json()];
}
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  said.textContent = "One moment …";
  const account = form.account.value.trim(), password = form.password.value;
  const [ok, told] = link
    ? await ask("api/use_link", { link, password, ...(account ? { email_address: account } : {}) })
    : await ask("api/sign_in", { account, password });
  if (!ok) { said.textContent = told.error; return; }
  history.replaceState(null, "", location.pathname);
  form.remove();
  document.querySelector("main").append(`You are signed in as ${told.display_handle}.`);
});
