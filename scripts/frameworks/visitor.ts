import type { Browser, Page } from 'playwright-core';
import type { App } from './app.js';

/** Somebody in a browser, who logs in to an example with its own form and is in the lobby then. */
export class Visitor {
  readonly page: Page;
  /** What the page has complained of. */
  readonly complaints: string[];

  private constructor(page: Page, complaints: string[]) {
    this.page = page;
    this.complaints = complaints;
  }

  static async enter(browser: Browser, app: App, name: string): Promise<Visitor> {
    const context = await browser.newContext();
    context.setDefaultTimeout(60_000);
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(`${message.text()} (${message.location().url})`);
    });
    await page.goto(app.origin);
    await page.getByLabel('Your name').fill(name);
    await page.locator('form button, form input[type=submit]').first().click();
    await page.getByRole('heading', { name: `${name} is in the lobby` }).waitFor();
    return new Visitor(page, complaints);
  }

  /** Resolves when the stream is open, and the page, where it says so, is in the room. */
  async connected(): Promise<void> {
    await this.page.getByText(/The stream is open(, the room is joined)?\./).waitFor();
  }

  /** The lines that have come, when there are so many. */
  async lines(count: number): Promise<string[]> {
    const lines = this.page.locator('li');
    await lines.nth(count - 1).waitFor();
    return lines.allTextContents();
  }

  /** The header by which the app knows her. */
  async cookie(): Promise<string> {
    const cookies = await this.page.context().cookies();
    return cookies.map(({ name, value }) => `${name}=${value}`).join('; ');
  }

  leave(): Promise<void> {
    return this.page.context().close();
  }
}
