// Signs in with a password, or uses the one-time link behind the # of this page's address.
"use strict";
const form = document.getElementById("form");
const said = document.getElementById("said");
const link = new URLSearchParams(location.hash.slice(1)).get("link");
if (link) {
  document.getElementById("about").textContent =
    "Choose a password of at least 10 characters.";
  form.account.required = false;
  form.password.autocomplete = "new-password";
  form.querySelector("button").textContent = "Go on";
}
async function ask(path, body) {
  const answer = await fetch(path, {
    method: "POST", credentials: "same-origin",
    headers: { "Content-Type": "application/json", "X-Linocut-Console": "1" }, body: JSON.stringify(body),
  });
  return [answer.ok, await answer.json(), answer.status];
}
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  said.textContent = "One moment …";
  const password = form.password.value;
  const [ok, told] = link
    ? await ask("api/use_link", { link, password })
    : await ask("api/sign_in", { account: form.account.value.trim(), password });
  if (!ok) { said.textContent = told.error; return; }
  signedIn(told);
});
document.getElementById("forgot")?.addEventListener("click", async () => {
  const account = form.account.value.trim();
  if (!account) { said.textContent = "Write your e-mail address or name above first."; return; }
  const answer = await fetch("api/send_link", {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ account }),
  });
  said.textContent = answer.ok
    ? "If there is such an account, a mail with a link is on its way to it."
    : (await answer.json()).error;
});
function signedIn(told) {
  history.replaceState(null, "", location.pathname);
  form.remove();
  document.querySelector("main").append(`You are signed in as ${told.display_handle}.`);
  fetch("../console/", { method: "HEAD" }).then((answer) => { if (answer.ok) location.replace("../console/"); });
}
if (link) {
  // The owner's link needs no password; of any other the server says that one is to be chosen.
  ask("api/use_link", { link }).then(([ok, told, status]) => {
    if (ok) signedIn(told);
    else if (status !== 400) said.textContent = told.error;
    else for (const id of ["account-row", "forgot"]) document.getElementById(id)?.remove(); // the account is the link's
  });
} else {
  fetch("api/session", { credentials: "same-origin", headers: { "X-Linocut-Console": "1" } })
    .then((answer) => (answer.ok ? answer.json().then(signedIn) : null));
}
