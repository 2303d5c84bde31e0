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

// Controls of the app's own questions, by their JSON pointers.
const controls = new Map();

function refuse({ type, errors = [] }) {
  const wrong = errors.map(({ pointer }) => controls.get(pointer)?.label).filter(Boolean);
  if (wrong.length > 0) {
    show(`${main.dataset.asked} ${wrong.join(", ")}`, false);
    return;
  }
  const name = type.startsWith("invitation_") ? "dead" : words[type];
  show(main.dataset[name ?? "failed"], false);
}

const types = { phone: "tel", email: "email", url: "url", number: "number", date: "date", checkbox: "checkbox" };

function chooser({ type, required, default: usual, options }) {
  const select = document.createElement("select");
  select.multiple = type === "multiselect";
  if (!select.multiple) select.add(new Option("", ""));
  for (const { value, label } of options) select.add(new Option(label ?? value, value));
  for (const option of select.options) option.selected = [usual ?? ""].flat().includes(option.value);
  select.required = required;
  return select;
}

function writer({ type, required, placeholder, default: usual, min, max, earliest, latest, format }) {
  const input = document.createElement(type === "textarea" ? "textarea" : "input");
  if (type !== "textarea") input.type = types[type] ?? "text";
  input.required = required;
  if (placeholder) input.placeholder = placeholder;
  if (type === "checkbox") input.checked = usual === true;
  else input.value = usual ?? "";
  const bounds = { min: earliest ?? min, max: latest ?? max };
  if (type === "number") bounds.step = format === "integer" ? 1 : "any";
  if (type.startsWith("text")) Object.assign(bounds, { min: undefined, max: undefined, minlength: min, maxlength: max });
  for (const [name, bound] of Object.entries(bounds)) if (bound !== undefined) input.setAttribute(name, bound);
  return input;
}

// Puts the app's own questions before the password.
function ask({ fields }) {
  const before = form.querySelector('label[for="password"]');
  for (const field of fields) {
    const control = field.options ? chooser(field) : writer(field);
    control.id = `answer-${field.name}`;
    const label = document.createElement("label");
    label.htmlFor = control.id;
    label.textContent = field.label;
    before.before(label, control);
    if (field.help) {
      const help = document.createElement("small");
      help.textContent = field.help;
      before.before(help);
    }
    controls.set(`/metadata/${field.name}`, { control, name: field.name, type: field.type, label: field.label });
  }
}

function answer({ control, type }) {
  if (type === "checkbox") return control.checked;
  if (type === "number") return control.value ? control.valueAsNumber : null;
  if (type === "multiselect") return [...control.selectedOptions].map(({ value }) => value);
  return control.value;
}

// The look of whoever invites; on the button what can be read there (WCAG 2.2, "relative luminance").
function wear({ accent_color: accent, font_family: font }) {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const part = parseInt(accent.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  const isLight = (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05) ** 2 >= 1.05 * 0.05;
  const look = { "--accent": accent, "--on-accent": isLight ? "#000" : "#fff", "--font": font };
  for (const [name, value] of Object.entries(look)) document.documentElement.style.setProperty(name, value);
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
  if (told.branding) wear(told.branding); // an older node tells none
  document.querySelector("#email").value = told.email;
  const said = { organization: told.organization.name, inviter: told.inviter, role: told.roles.join(", ") };
  for (const [name, text] of Object.entries(said)) {
    const row = document.getElementById(name);
    row.textContent = text ?? "";
    row.hidden = row.previousElementSibling.hidden = !text;
  }
  document.querySelector("dl").hidden = false;
  if (told.form) ask(told.form);
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
  if (controls.size > 0) {
    body.metadata = Object.fromEntries([...controls.values()].map((it) => [it.name, answer(it)]));
  }
  try {
    const reply = await fetch(main.dataset.action, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    if (reply.ok) {
      form.remove();
      show(main.dataset.done, true);
      return;
    }
    refuse(await reply.json());
  } catch {
    show(main.dataset.failed, false);
  }
  button.disabled = false;
});
