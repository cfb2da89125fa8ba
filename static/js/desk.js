/* The operator's desk: names for searched choices, and choices that follow the chosen reseller. */
"use strict";
{
  const named = (select) => select.getAttribute("aria-label") || select.labels[0]?.textContent.trim() || "";

  /* Select2 puts a box of its own in the place of the select, without the select's name. */
  function nameBoxes(root) {
    for (const select of root.querySelectorAll("select.select2-hidden-accessible")) {
      const container = select.nextElementSibling;
      const box = container?.querySelector("[role=combobox]");
      if (!box || !select.id || document.getElementById(`${select.id}_name`)) continue;
      const name = document.createElement("span");
      name.id = `${select.id}_name`;
      name.className = "visually-hidden";
      name.textContent = named(select);
      container.prepend(name);
      box.setAttribute("aria-labelledby", `${name.id} ${box.getAttribute("aria-labelledby") || ""}`.trim());
      for (const part of container.querySelectorAll("[role=searchbox], [role=textbox]")) {
        part.setAttribute("aria-labelledby", name.id);
      }
    }
  }

  /* What only one reseller has is asked for at the address that ends in the reseller's key. */
  function narrow(reseller) {
    const $ = window.django.jQuery;
    for (const select of document.querySelectorAll("select[data-of-reseller]")) {
      const address = `${select.dataset.ofReseller}${reseller || 0}/`;
      select.setAttribute("data-ajax--url", address);
      if (select.classList.contains("select2-hidden-accessible")) {
        document.getElementById(`${select.id}_name`)?.remove();
        $(select).removeData().select2("destroy");
        $(select).djangoAdminSelect2();
      }
    }
    nameBoxes(document);
  }

  window.addEventListener("load", () => {
    const $ = window.django?.jQuery;
    if (!$) return;
    $(() => nameBoxes(document)); // after the boxes, which are made when jQuery is ready
    for (const head of document.querySelectorAll("th.original:empty")) {
      const cell = document.createElement("td"); // a heading without words is none
      cell.className = head.className;
      head.replaceWith(cell);
    }
    const reseller = document.getElementById("id_reseller");
    if (reseller) $(reseller).on("change", () => narrow(reseller.value));
    $(document).on("select2:open", (event) => {
      const field = document.querySelector(".select2-container--open .select2-dropdown .select2-search__field");
      field?.setAttribute("aria-label", named(event.target));
    });
  });
  document.addEventListener("formset:added", (event) => setTimeout(() => nameBoxes(event.target)));
}
