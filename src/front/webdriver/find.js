// Finds one element by a locator: arguments are its kind and what follows it.
const [kind, what] = arguments;
const same = (text) => words(text).toLowerCase() === words(what).toLowerCase();
const within = (text) => words(text).toLowerCase().includes(words(what).toLowerCase());
const best = (elements, text) => elements.find((e) => same(text(e))) || elements.find((e) => within(text(e)));
const seen = (elements) => elements.find(visible) || elements[0];
const found = {
  id: () => seen(roots.map((root) => root.getElementById?.(what)).filter(Boolean)),
  name: () => seen(every('[name]').filter((e) => e.getAttribute('name') === what)),
  css: () => seen(every(what)),
  xpath: () => document.evaluate(what, document, null, XPathResult.FIRST_ORDERED_NODE_TYPE, null).singleNodeValue,
  text: () => {
    const pressed = every('button, input[type=submit], input[type=button], [role=button], a').filter(visible);
    const shown = (e) => e.innerText || e.value || e.getAttribute('aria-label');
    return best(pressed, shown) || best(every('*').filter((e) => visible(e) && !e.children.length), shown);
  },
  label: () => best(every('input, select, textarea').filter((e) => e.type !== 'hidden'), label),
}[kind];
return found ? found() || null : null;
