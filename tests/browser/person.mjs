// Plays the person at the cockpit in Chromium: presses what is asked for, types the password, allows. One JSON line at
// the end tells what was seen.
//
// node person.mjs '{"cockpit": "http://127.0.0.1:P/", "chromium": "/usr/bin/chromium", …}'
import { readFileSync, existsSync } from 'node:fs';
import { chromium } from 'playwright-core';

const given = JSON.parse(process.argv[2]);
const seen = { asks: [], clicks: [], passwords: 0, consents: 0, hops: [], errors: [], opened: [] };
const began = Date.now();
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync'];

// A person's browser blocks popups that no click opened.
const browser = await chromium.launch({
  executablePath: given.chromium, headless: true, args: FLAGS, ignoreDefaultArgs: ['--disable-popup-blocking'],
});
const context = await browser.newContext({ ignoreHTTPSErrors: true, colorScheme: given.scheme ?? 'light' });
context.setDefaultTimeout(5000);
let cockpit = await context.newPage();
const watched = (page) => {
  page.on('pageerror', (error) => seen.errors.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error' && !/status of 404|503|400/.test(message.text())) seen.errors.push(message.text());
  });
};
watched(cockpit);
if (given.blocked) await cockpit.addInitScript(() => { window.open = () => null; });
await cockpit.goto(given.cockpit);

const once = (list, text) => { if (text && !list.includes(text)) list.push(text); };
const shot = async (name) => {
  if (!given.pictures) return;
  for (const scheme of ['light', 'dark']) {
    await cockpit.emulateMedia({ colorScheme: scheme });
    await cockpit.screenshot({ path: `${given.pictures}/cockpit-${name}-${scheme}.png` });
  }
};
const press = async (act) => {
  const button = cockpit.locator(`#buttons [data-act="${act}"]`);
  if (!(await button.isVisible())) return false;
  once(seen.asks, await cockpit.locator('#ask').textContent());
  seen.clicks.push(act);
  if (given.keys) return type(button);
  await button.click();
  return true;
};
// A person without a mouse goes from one thing to the next until it is the one.
const type = async (button) => {
  for (let n = 0; n < 20; n += 1) {
    if (await button.evaluate((element) => element === document.activeElement)) {
      await cockpit.keyboard.press('Enter');
      return true;
    }
    await cockpit.keyboard.press('Tab');
  }
  throw new Error('the keyboard does not lead to the button');
};
// A close that falls into a navigation may get lost in a driven browser: it is asked for once more then, by its target.
const driver = await browser.newBrowserCDPSession();
const pause = (ms) => new Promise((next) => setTimeout(next, ms));
const close = async (page) => {
  const of = { cockpit: page === cockpit, gone: new Promise((gone) => page.once('close', gone)) };
  page.close().catch(() => {});
  for (let n = 0; n < 10; n += 1) {
    await Promise.race([of.gone, pause(1000)]);
    if (page.isClosed()) return;
    const { targetInfos } = await driver.send('Target.getTargets');
    const left = targetInfos.filter((t) => t.type === 'page' && (t.url === given.cockpit) === of.cockpit);
    for (const { targetId } of left) await driver.send('Target.closeTarget', { targetId });
  }
};
const windows = () => context.pages().filter((page) => page !== cockpit && !page.isClosed());
const steps = async () => parseInt(await cockpit.locator('#steps-text').textContent(), 10);

// What the operating system was told to open.
let opened = 0;
const opening = async () => {
  if (!given.opener || !existsSync(given.opener)) return;
  const urls = readFileSync(given.opener, 'utf8').split('\n').filter(Boolean);
  for (; opened < urls.length; opened += 1) {
    if (urls[opened] === given.cockpit && opened === 0) continue;
    const page = await context.newPage();
    // Whoever is watched by a driver has always clicked just now. Without a click, no window is opened by a name.
    await page.addInitScript(() => {
      const open = window.open.bind(window);
      window.open = (url, ...more) => (url === '' ? null : open(url, ...more));
    });
    page.goto(urls[opened]).catch(() => {});
    seen.opened.push(new URL(urls[opened]).pathname);
    if (urls[opened] === given.cockpit) {
      cockpit = page;
      watched(cockpit);
    }
  }
};

// The person looks at a window of the server. True if there was something to do.
const look = async (page) => {
  const password = page.getByLabel('Password');
  // Asked once more for the password, this person takes the tabs, and closes the window that is not needed then.
  if (given.tabs && seen.passwords && !seen.clicks.includes('tabs') && (await password.isVisible())) {
    if (await press('tabs')) await close(page);
    return true;
  }
  if (await password.isVisible()) {
    await page.locator('input[autocomplete=username]').fill('alice');
    await password.fill('wonderland');
    await page.getByRole('button', { name: /^(Sign|Log) in$/ }).click();
    seen.passwords += 1;
    return true;
  }
  const allow = page.getByRole('button', { name: 'Allow' });
  if (await allow.isVisible()) {
    // Whoever reads before agreeing takes longer than a session.
    if (given.max_prompts) await page.waitForTimeout(2500);
    seen.consents += 1;
    if (seen.consents === 1) await shot('asks');
    await allow.click({ noWaitAfter: true });
    await page.waitForTimeout(700);
    // A button that does nothing: the cockpit says what to press then.
    if (!page.isClosed() && (await allow.isVisible())) await press('repeat');
    return true;
  }
  if (await page.getByText(/Try again in a moment|page is out of date/).isVisible()) return press('repeat');
  return false;
};

const done = { closed: false, reloaded: false, running: false };
// The window is closed while the server answers a request of this purpose, or while it asks the audit for the next one.
if (given.close !== undefined) {
  const path = given.close === 'between' ? '/next' : '/authorize';
  await context.route((url) => url.pathname === path, async (route) => {
    const purpose = await cockpit.locator('#purpose').textContent();
    const now = path === '/next' ? (await steps()) >= 8 : purpose === given.close;
    if (done.closed || !now) return route.continue();
    done.closed = true;
    await close(route.request().frame().page());
  });
}
await cockpit.locator('#buttons button').first().waitFor();
// What a screen reader is told: each part by its role and name.
seen.spoken = await cockpit.locator('main').ariaSnapshot();
await shot('start');
while (Date.now() - began < (given.seconds ?? 90) * 1000) {
  try {
    await opening();
    if (cockpit.isClosed()) throw new Error('closed');
    once(seen.asks, await cockpit.locator('#ask').textContent());
    if (await cockpit.locator('#ending').isVisible()) break;
    seen.hops.push([Date.now() - began, await steps()]);
    if ((await steps()) >= 8) {
      if (!done.running) { done.running = true; await shot('running'); }
      // Both windows: nothing of ours is open any more.
      if (given.shut && !done.closed) {
        done.closed = true;
        await close(windows()[0]);
        await close(cockpit);
        seen.shut = true;
      }
      // An address is typed into the window.
      if (given.strays && !done.strayed) {
        const [page] = windows();
        await page.goto(given.strays).catch(() => {});
        await page.waitForTimeout(400);
        // The window may have been faster with a step of its own.
        done.strayed = page.url() === given.strays;
      }
      if (given.reload && !done.reloaded) { done.reloaded = true; await cockpit.reload(); }
    }
    let busy = false;
    for (const page of windows()) busy = (await look(page).catch(() => false)) || busy;
    const link = cockpit.locator('#buttons a.button');
    if (await link.isVisible()) {
      seen.clicks.push('link');
      await link.click();
    } else if (!busy && !(given.opened && windows().length)) {
      given.opened = (await press('open')) || (done.closed && (await press('show'))) || given.opened;
    }
    // In the middle of a step nobody knows that the window shows something else.
    if (done.strayed && /shows something else, repeat/.test(await cockpit.locator('#ask').textContent())) await press('repeat');
    // Only what is closed is opened again.
    if (!windows().length) given.opened = false;
  } catch (error) {
    // A window may close while it is looked at.
    if (!/closed|navigat|Timeout|detached/i.test(String(error))) seen.errors.push(String(error));
  }
  await pause(150);
}
if (cockpit.isClosed()) cockpit = await context.newPage();
await shot('done');
seen.ended = await cockpit.locator('#ending').isVisible();
seen.summary = await cockpit.locator('#verdict').textContent();
seen.notes = await cockpit.locator('#notes li').allTextContents();
seen.verdicts = Object.fromEntries(await cockpit.locator('li[data-id]').evaluateAll(
  (items) => items.map((item) => [item.dataset.id, item.dataset.result])));
seen.left = windows().length;
// The report is read when nobody listens any more.
const listens = () => fetch(given.cockpit).then(() => true, () => false);
for (let n = 0; n < 50 && seen.ended && (await listens()); n += 1) await pause(100);
if (await cockpit.locator('#report').isVisible()) {
  const [report] = await Promise.all([context.waitForEvent('page'), cockpit.locator('#report').click()]);
  watched(report);
  await report.locator('details.check').first().waitFor();
  seen.report = {
    checks: await report.locator('details.check').count(),
    styled: await report.locator('.bar i').first().evaluate((bar) => getComputedStyle(bar).flexGrow !== '0'),
    filters: await report.locator('#filters').isVisible(),
    listens: await listens(),
  };
  await report.reload().catch((error) => seen.errors.push(String(error)));
  seen.report.again = await report.locator('details.check').count();
  if (given.pictures) await report.screenshot({ path: `${given.pictures}/report-from-cockpit.png` });
}
await browser.close();
console.log(`SEEN ${JSON.stringify(seen)}`);
