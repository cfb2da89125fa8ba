// Every page works without this.
const all = (selector) => document.querySelectorAll(selector);
const on = (names, act) => names.split(" ").map((name) => addEventListener(name, act));

// What an answer will replace is busy. No answer: the page says so until the next try.
on("htmx:before:request htmx:after:request htmx:error", ({ target, type, detail }) => {
  detail.ctx.target.ariaBusy = type == "htmx:before:request";
  target.querySelectorAll("[data-no-answer]").forEach((notice) => (notice.hidden = type != "htmx:error"));
});

// A form is sent once. Its button counts while fields are collected.
on("submit", ({ target, submitter, defaultPrevented }) => {
  if (submitter && !defaultPrevented && target.matches("[data-once]")) setTimeout(() => (submitter.disabled = true));
});
on("pageshow", () => all("[data-once] button").forEach((button) => (button.disabled = false)));

// Menus close by Escape and by a click elsewhere.
on("keydown click", ({ target, key }) =>
  all("details.user-menu").forEach((menu) => (menu.open &&= key ? key != "Escape" : menu.contains(target))),
);

on("click", ({ target }) => target.closest("[data-print]") && print());
