// The browser's half of the story, one act a call: node story.mjs ACT, with its input as JSON on standard input and its
// output as JSON on standard output. The Go half runs the server, the receiver and the checks between the acts.
import {chromium} from 'playwright-core';
import {readFileSync} from 'node:fs';

const input = JSON.parse(readFileSync(0, 'utf8'));
const args = [
	'--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
	'--disable-component-update', '--disable-sync', '--font-render-hinting=none',
];
const desktop = {viewport: {width: 1440, height: 900}, locale: 'en-GB', timezoneId: 'UTC'};
const phone = {
	viewport: {width: 390, height: 844}, deviceScaleFactor: 2, hasTouch: true, isMobile: true, locale: 'en-GB', timezoneId: 'UTC',
};

const browser = await chromium.launch({executablePath: process.env.PARAPH_CHROMIUM || '/usr/bin/chromium', args});
const problems = [];

async function page(kind, state) {
	const context = await browser.newContext({...kind, storageState: state, baseURL: input.base});
	context.setDefaultTimeout(30_000);
	const p = await context.newPage();
	p.on('pageerror', error => problems.push(`${p.url()}: ${error.message}`));
	p.on('console', m => m.type() === 'error' && problems.push(`${p.url()}: ${m.text()}`));
	return p;
}

async function shot(p, name) {
	if (input.pictures) await p.screenshot({path: `${input.pictures}/${name}.png`});
}

const acts = {
	// The first visit creates the owner; the webhooks are made where the documentation says.
	async owner() {
		const p = await page(desktop);
		await p.goto('/');
		await p.getByLabel('Name').fill('Ada Owner');
		await p.getByLabel('Email').fill('ada@example.com');
		await p.getByLabel('Password').fill('correct horse battery');
		await shot(p, 'setup');
		await p.locator('main form button').last().click();
		await p.waitForURL('**/envelopes');
		await shot(p, 'envelopes-empty');
		await p.locator('summary', {hasText: 'Your menu'}).click();
		await p.getByRole('link', {name: 'User settings'}).click();
		await p.getByRole('link', {name: 'Webhooks'}).first().click();
		for (const hook of input.webhooks) await webhook(p, hook);
		await shot(p, 'webhooks');
		return {state: await p.context().storageState()};
	},

	// Upload, recipients, fields, send.
	async send() {
		const p = await page(desktop, input.state);
		await p.goto('/envelopes');
		await p.getByRole('link', {name: 'New envelope'}).first().click();
		await p.locator('input[type=file]').setInputFiles(input.pdf);
		await p.waitForURL('**/edit');
		await recipients(p);
		await shot(p, 'draft');
		await p.getByRole('button', {name: 'Continue to fields'}).click();
		await p.waitForURL('**/fields');
		await fields(p);
		await shot(p, 'fields');
		await p.reload();
		await p.locator('.fe-field').nth(5).waitFor();
		await p.locator('.fe-bar a.btn-primary').click();
		await p.waitForURL('**/review');
		await shot(p, 'review');
		await p.getByRole('button', {name: /^Send/}).click();
		await p.waitForURL(/\/envelopes\/\d+$/);
		await shot(p, 'envelope-sent');
		return {url: p.url()};
	},

	// The first recipient, on a phone, draws.
	async draws() {
		const p = await page(phone);
		await p.goto(input.link);
		await p.locator('.sg-sheet').first().waitFor();
		await shot(p, 'signing-phone');
		await tapUntil(p.locator('.sg-next'), p.locator('[data-field][data-current] button'));
		const paper = p.locator('dialog[open]').getByRole('button', {name: 'Draw'});
		await tapUntil(p.locator('[data-field][data-current] button'), paper);
		await paper.tap();
		await draw(p);
		await shot(p, 'signature-phone');
		await p.getByRole('button', {name: 'Use this signature'}).click();
		const town = p.locator('.sg-bar-field').getByLabel('Town');
		await tapUntil(p.locator('.sg-next'), town);
		await town.fill(input.town);
		await shot(p, 'filled-phone');
		await finish(p);
		await shot(p, 'signed-phone');
		return {url: p.url()};
	},

	// The second types, at a desk, and comes back after a reload in the middle.
	async types() {
		const p = await page(desktop);
		await p.goto(input.link);
		await p.locator('.sg-sheet').first().waitFor();
		await shot(p, 'signing');
		await p.locator('.sg-next').click();
		await p.locator('[data-field][data-current] button').click();
		await p.locator('dialog[open]').getByRole('button', {name: 'Type'}).click();
		await p.getByLabel('Type your signature').fill(input.name);
		await shot(p, 'signature');
		await p.getByRole('button', {name: 'Use this signature'}).click();
		await p.locator('.sg-count', {hasText: '2 of 3'}).waitFor();
		await p.reload();
		await p.locator('.sg-count', {hasText: '2 of 3'}).waitFor();
		await p.locator('.sg-next').click();
		await p.locator('.sg-sheet input:not([readonly])').last().fill(input.town);
		await shot(p, 'filled');
		await finish(p);
		await shot(p, 'signed');
		return {url: p.url()};
	},

	// The owner sees it completed and takes the sealed file home; the page verifies it.
	async completed() {
		const p = await page(desktop, input.state);
		await p.goto(input.url);
		await p.getByText('Completed').first().waitFor();
		await shot(p, 'envelope-completed');
		const download = p.waitForEvent('download');
		await p.locator('a[href*="/sealed"]').first().click();
		await (await download).saveAs(input.sealed);
		await p.goto('/verify');
		await p.locator('input[type=file]').setInputFiles(input.sealed);
		await p.locator('main form button').last().click();
		await p.getByText(/unchanged/i).first().waitFor();
		await shot(p, 'verify');
		await p.goto(input.deliveries);
		await shot(p, 'deliveries');
		return {};
	},
};

async function webhook(p, hook) {
	await p.goto('/settings/webhooks');
	await p.getByRole('link', {name: 'Create Webhook'}).first().click();
	const dialog = p.locator('dialog[open]');
	await dialog.getByLabel('Webhook URL').fill(hook.url);
	await dialog.getByLabel('Secret').fill(hook.secret);
	for (const event of hook.events) await dialog.locator(`input[name=events][value="${event}"]`).check();
	if (hook.steps) {
		await dialog.getByText('More options').click();
		await dialog.locator('input[value=own], option[value=own]').first().evaluate(el => el.closest('select') ? (el.selected = true) : el.click());
		await dialog.getByLabel('My own waits').fill(hook.steps);
	}
	await shot(p, 'webhook-modal');
	await dialog.getByRole('button', {name: 'Create Webhook'}).click();
	await p.locator('dialog[open]').waitFor({state: 'detached'});
	await p.getByText('whsec_').or(p.locator('[value^=whsec_]')).first().waitFor();
	await shot(p, 'webhook-created');
}

async function recipients(p) {
	const row = i => ['name', 'email', 'role', 'order'].map(n => p.locator(`[name=recipient_${n}]`).nth(i));
	for (const [i, r] of input.recipients.entries()) {
		if (await p.locator('[name=recipient_name]').count() <= i) await p.getByRole('button', {name: 'Add a recipient'}).click();
		const [name, email, role, order] = row(i);
		await name.fill(r.name);
		await email.fill(r.email);
		await role.fill(r.role);
		if (await order.isVisible()) await order.fill(String(i + 1));
	}
	await p.getByLabel('One after the other').check();
}

// Three fields for each of the two, on the last page: a text, a signature, a date that fills itself in is left for later issues.
async function fields(p) {
	await p.locator('.fe-sheet').nth(2).waitFor();
	await p.getByRole('button', {name: 'Go to page 3 of 3'}).click();
	await p.locator('.fe-sheet').nth(2).scrollIntoViewIfNeeded();
	for (const [i] of input.recipients.entries()) {
		await p.locator('label.fe-person').nth(i).click();
		const x = 0.29 + 0.415 * i;
		await place(p, 'name', x, 0.35);
		await place(p, 'text', x, 0.53, 'Town');
		await place(p, 'signature', x, 0.425);
	}
	await p.locator('.fe-saved', {hasText: /^Saved$/}).waitFor();
}

async function place(p, type, x, y, label) {
	const sheet = p.locator('.fe-sheet').nth(2);
	await sheet.evaluate(el => el.scrollIntoView({block: 'start', behavior: 'instant'}));
	const count = await p.locator('.fe-field').count();
	const [from, to] = [await p.locator(`[data-type=${type}]`).boundingBox(), await sheet.boundingBox()];
	await p.mouse.move(from.x + 20, from.y + 20);
	await p.mouse.down();
	await p.mouse.move(from.x + 60, from.y + 40, {steps: 3});
	await p.mouse.move(to.x + to.width * x, to.y + to.height * y, {steps: 5});
	await p.mouse.up();
	await p.locator('.fe-field').nth(count).waitFor();
	if (label) await p.locator('.fe-inspector').getByLabel('Label').fill(label);
}

// A finger on the canvas.
async function draw(p) {
	const canvas = p.locator('dialog[open] canvas');
	await canvas.waitFor();
	const box = await canvas.boundingBox();
	const cdp = await p.context().newCDPSession(p);
	const touch = (type, x, y) => cdp.send('Input.dispatchTouchEvent', {
		type, touchPoints: type === 'touchEnd' ? [] : [{x: box.x + x * box.width, y: box.y + y * box.height}],
	});
	await touch('touchStart', 0.2, 0.6);
	for (let i = 1; i <= 24; i++) await touch('touchMove', 0.2 + i * 0.025, 0.5 + 0.25 * Math.sin(i / 2));
	await touch('touchEnd');
}

// tapUntil taps again when a tap only stopped a page that was still scrolling, until what it leads to is there.
async function tapUntil(what, wanted) {
	for (let tries = 0; tries < 10; tries++) {
		await what.tap();
		const there = await wanted.waitFor({timeout: 3000}).then(() => true, () => false);
		if (there) return;
	}
	await wanted.waitFor();
}

async function finish(p) {
	await p.locator('.sg-next', {hasText: 'Sign and finish'}).click();
	await p.locator('#sg-finish').getByRole('checkbox').check();
	await p.locator('#sg-finish').getByRole('button', {name: 'Sign and finish'}).click();
	await p.locator('.sg-sheet').first().waitFor({state: 'detached'});
	await p.getByRole('heading', {level: 1}).waitFor();
}

try {
	const output = await acts[process.argv[2]]();
	console.log(JSON.stringify({...output, problems}));
} finally {
	await browser.close();
}
