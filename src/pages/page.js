// The button of a page: sends the token of the link to the API, and shows what came of it.
"use strict";

const main = document.querySelector("main");
const form = document.querySelector("form");
const shown = document.querySelector("output");
const token = new URLSearchParams(location.search).get("token") ?? "";

// The token must not stay in the history of a browser that others use.
history.replaceState(null, "", location.pathname);

const key = document.querySelector("#key");
if (key) key.value = token;

// Which words a refusal is told by. Every end of an invitation is a dead link to its reader.
const words = {
  weak_password: "weak",
  sign_in_required: "known",
  seat_limit: "full",
  invalid_link: "dead",
  link_expired: "dead",
  not_found: "dead",
};

function show(text, isGood) {
  shown.textContent = text;
  shown.className = isGood ? "good" : "bad";
}

function refuse({ type }) {
  const name = type.startsWith("invitation_") ? "dead" : words[type];
  show(main.dataset[name ?? "failed"], false);
}

// Asks what the link offers, which changes nothing.
async function look() {
  const answer = await fetch(`${main.dataset.lookup}?token=${encodeURIComponent(token)}`);
  const told = await answer.json();
  if (!answer.ok) {
    form.remove();
    refuse(told);
    return;
  }
  document.querySelector("#email").value = told.email;
  const said = { organization: told.organization.name, inviter: told.inviter, role: told.roles.join(", ") };
  for (const [name, text] of Object.entries(said)) {
    const row = document.getElementById(name);
    row.textContent = text ?? "";
    row.hidden = row.previousElementSibling.hidden = !text;
  }
  document.querySelector("dl").hidden = false;
}

if (main.dataset.lookup) look().catch(() => show(main.dataset.failed, false));

form?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = form.querySelector("button");
  button.disabled = true;
  const body = { token };
  for (const field of form.querySelectorAll("input[name]")) {
    if (field.value.trim()) body[field.name] = field.value;
  }
  try {
    const answer = await fetch(main.dataset.action, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    if (answer.ok) {
      form.remove();
      show(main.dataset.done, true);
      return;
    }
    refuse(await answer.json());
  } catch {
    show(main.dataset.failed, false);
  }
  button.disabled = false;
});
