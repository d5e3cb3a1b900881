// Reads the page as a person sees it: visible controls, links and words.
const forms = [];
const formOf = (element) => {
  let owner = element.form || null;
  for (let at = element; at && !owner; at = up(at)) if (at.tagName === 'FORM') owner = at;
  let index = forms.findIndex((f) => f.owner === owner);
  if (index < 0) {
    const about = owner ? [owner.id, owner.getAttribute('name'), owner.className].join(' ') : '';
    const action = owner ? owner.getAttribute('action') || '' : '';
    index = forms.push({ owner, about: `${about} ${action.split('?')[0]}` }) - 1;
  }
  return index;
};
const controls = [];
for (const element of every('input, select, textarea, button, [role=button]')) {
  if (controls.length >= MOST) break;
  const tag = element.tagName.toLowerCase();
  const type = (element.type || '').toLowerCase();
  const button = tag === 'button' || element.getAttribute('role') === 'button'
    || (tag === 'input' && ['submit', 'button', 'image', 'reset'].includes(type));
  if (type === 'hidden' || type === 'file' || type === 'reset') continue;
  const box = type === 'checkbox' || type === 'radio';
  // Boxes are often drawn by their label, and themselves not at all.
  if (!visible(element) && !(box && [...(element.labels || [])].some(visible))) continue;
  if (element.disabled && !button) continue;
  if (!button && !box && element.getAttribute('aria-hidden') === 'true') continue;
  controls.push({
    element, tag, type, button,
    form: formOf(element),
    name: element.getAttribute('name') || '',
    id: element.id || '',
    autocomplete: (element.getAttribute('autocomplete') || '').toLowerCase(),
    text: button ? words(element.innerText || element.value || element.getAttribute('aria-label') || element.title)
      : label(element),
    value: String(element.value ?? ''),
    required: element.required === true || element.getAttribute('aria-required') === 'true',
    readonly: element.readOnly === true,
    checked: element.checked === true,
    choices: tag === 'select' ? [...element.options].filter((o) => !o.disabled)
      .map((o) => ({ value: o.value, text: words(o.text), selected: o.selected })) : [],
  });
}
const links = every('a[href]').filter(visible).slice(0, MOST)
  .map((element) => ({ element, href: element.href, text: words(element.innerText) }));
const shown = (selector) => every(selector).filter(visible).map((e) => words(e.innerText)).filter(Boolean);
const alerts = shown('[role=alert], [class*=error i], [class*=alert i], [class*=danger i], [id*=error i]')
  .filter((text) => text.length <= 240).slice(0, 20);
const blocks = roots.flatMap((root) => {
  const parts = root === document ? [document.body] : [...root.children];
  return parts.filter((e) => e && e.innerText && !['STYLE', 'SCRIPT'].includes(e.tagName))
    .flatMap((e) => e.innerText.split('\n'));
}).map(words).filter(Boolean).slice(0, MOST);
return {
  url: location.href,
  ready: document.readyState === 'complete',
  status: (performance.getEntriesByType('navigation')[0] || {}).responseStatus || 0,
  title: words(document.title),
  heading: shown('h1, h2, h3')[0] || '',
  forms: forms.map((f) => f.about),
  controls, links, alerts, blocks,
};
