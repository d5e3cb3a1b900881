// What the other scripts share: every element through open shadow roots, and what a person sees of it.
const MOST = 300;
const roots = [];
const walk = (root) => {
  roots.push(root);
  for (const element of root.querySelectorAll('*')) {
    if (element.shadowRoot && roots.length < 50) walk(element.shadowRoot);
  }
};
walk(document);
const every = (selector) => roots.flatMap((root) => [...root.querySelectorAll(selector)]);
const up = (node) => node.parentElement || (node.getRootNode() instanceof ShadowRoot ? node.getRootNode().host : null);
const words = (text) => (text || '').replace(/\s+/g, ' ').trim();
const visible = (element) => {
  const box = element.getClientRects()[0];
  if (!box || getComputedStyle(element).visibility === 'hidden') return false;
  return box.right + scrollX > 0 && box.bottom + scrollY > 0;
};
const label = (element) => {
  const named = (element.getAttribute('aria-labelledby') || '').split(/\s+/).filter(Boolean)
    .map((id) => element.getRootNode().getElementById?.(id)?.textContent || '').join(' ');
  const labels = [...(element.labels || [])].map((l) => l.innerText || l.textContent).join(' ');
  return words(labels) || words(named) || words(element.getAttribute('aria-label'))
    || words(element.getAttribute('placeholder')) || words(element.getAttribute('title'));
};
