/** The page, in a real browser: Debian's chromium-headless-shell. */
import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import t, { type Test } from 'tap'
import type { Report } from '../../src/core/report.ts'
import { htmlReport } from '../../src/reports/html.ts'
import { largeReport } from '../reports/large-report.ts'
import { messyReport } from '../reports/messy-report.ts'
import { host, report, task, written } from '../reports/run-events.ts'

const axe = readFileSync(new URL(import.meta.resolve('axe-core/axe.min.js')), 'utf8')
const folder = t.testdir({})
let browser: Browser

t.before(async () => {
  const executablePath = '/usr/bin/chromium-headless-shell'
  browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] })
})
t.teardown(() => browser.close())

/** Opens a report as a file, as from a mail; whatever goes wrong in it or leaves it is in `trouble`. */
async function open(test: Test, given: Report, options: BrowserContextOptions = {}) {
  const path = join(folder, 'report.html')
  await writeFile(path, written(given, htmlReport))
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 }, ...options })
  test.teardown(() => page.close())
  const trouble: string[] = []
  page.on('pageerror', error => trouble.push(error.message))
  page.on('console', message => trouble.push(message.text()))
  page.on('request', request => trouble.push(request.url()))
  page.on('dialog', dialog => {
    trouble.push(dialog.message())
    void dialog.dismiss()
  })
  await page.goto(`file://${path}`)
  return { page, trouble, url: `file://${path}` }
}

/** What axe finds wrong for those who cannot see the page, or not well. */
async function barriers(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe)
  const found: unknown = await page.evaluate(
    'axe.run().then(({ violations, passes }) => (passes.length > 10 ? violations : [passes]).map(each => JSON.stringify(each)))',
  )
  return Array.isArray(found) ? found.map(String) : ['axe answered nothing']
}

const focused = (page: Page) => page.evaluate('document.activeElement.textContent.trim()')

t.test('hostile text is text, and nothing is asked of any network', async t => {
  const { page, trouble, url } = await open(t, messyReport)
  t.same(trouble, [url], 'the page, and nothing else')
  t.equal(await page.locator('img').count(), 0)
  t.match(await page.locator('body').textContent(), '</script><img src=x onerror=alert(1)>')
  t.equal(await page.locator('#grid tbody tr').count(), 4)
  t.equal(await page.locator('#filter').isVisible(), true, 'its own script runs')
})

t.test('nothing keeps anybody from reading it, in the light and in the dark', async t => {
  for (const colorScheme of ['light', 'dark'] as const) {
    const { page } = await open(t, messyReport, { colorScheme })
    t.same(await barriers(page), [], colorScheme)
    const background = await page.evaluate('getComputedStyle(document.body).backgroundColor')
    t.equal(background, colorScheme === 'light' ? 'rgb(255, 255, 255)' : 'rgb(21, 24, 28)')
  }
})

t.test('by the keyboard alone: one stop for the grid, arrows within, Enter leads to what differs', async t => {
  const { page } = await open(t, largeReport(30, { alike: false }))
  await page.getByRole('searchbox').focus()
  for (const _ of ['checkbox', 'scrolled region', 'grid']) await page.keyboard.press('Tab')
  t.equal(await focused(page), 'web5.prod.example.com', 'the unreachable one comes first')
  await page.keyboard.press('ArrowRight')
  t.equal(await focused(page), 'unreachable')
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('End')
  await page.keyboard.press('Home')
  t.equal(await focused(page), 'web0.prod.example.com')
  await page.keyboard.press('ArrowRight')
  await page.keyboard.press('ArrowRight')
  t.equal(await focused(page), 'drift')
  await page.keyboard.press('Tab')
  t.notOk(await page.evaluate("document.activeElement.closest('#grid') !== null"), 'and out of it again')
  await page.keyboard.press('Shift+Tab')
  await page.keyboard.press('Enter')
  const detail = page.locator('.detail:target')
  t.match(await detail.textContent(), /drift swapfile\s+on web0/)
  t.ok(await detail.isVisible())
  t.equal(await page.locator('.detail:visible').count(), 1)
  await page.keyboard.press('Tab')
  t.ok(await page.evaluate("document.activeElement.closest('.detail:target') !== null"), 'the next stop is in there')
  await detail.getByRole('link', { name: 'back to the hosts' }).click()
  t.equal(await page.locator('.detail:visible').count(), 0)
})

t.test('finding hosts', async t => {
  const { page } = await open(
    t,
    report([host('a1', [task()]), host('a2', [task({ status: 'drift' })]), host('b', [task()])]),
  )
  const rows = () => page.locator('#grid tbody tr:visible th').allInnerTexts()
  await page.getByRole('searchbox').fill('A')
  t.same(await rows(), ['a2', 'a1'])
  t.equal(await page.getByRole('status').textContent(), '2 of 3 shown')
  await page.getByRole('checkbox').check()
  t.same(await rows(), ['a2'])
  await page.getByRole('searchbox').fill('nothing')
  t.same(await rows(), [])
})

t.test('without scripts it reads as well', async t => {
  const { page } = await open(t, largeReport(30, { alike: false }), { javaScriptEnabled: false })
  await page.locator('#grid td.drift a').first().click()
  t.equal(await page.locator('.detail:visible').count(), 1)
  t.equal(await page.locator('#filter').isVisible(), false)
})

t.test('printed it is all there', async t => {
  const { page } = await open(t, largeReport(30, { alike: false }), { colorScheme: 'dark' })
  await page.emulateMedia({ media: 'print' })
  const [all, shown] = [page.locator('.detail'), page.locator('.detail:visible')]
  t.ok((await all.count()) > 5)
  t.equal(await shown.count(), await all.count())
  t.equal(await page.evaluate('getComputedStyle(document.body).backgroundColor'), 'rgb(255, 255, 255)')
  await page.setViewportSize({ width: 1032, height: 700 }) // A4 on its side, without the margins
  t.equal(await page.evaluate('document.documentElement.scrollWidth'), 1032, 'nothing is cut off at the right')
  t.ok((await page.pdf({ format: 'A4' })).length > 10_000)
})

t.test('a thousand hosts', async t => {
  for (const alike of [true, false]) {
    const { page, trouble, url } = await open(t, largeReport(1000, { alike }))
    t.same(trouble, [url])
    t.equal(await page.locator('#grid tbody tr').count(), 1000)
    const elements = Number(await page.evaluate("document.querySelectorAll('*').length"))
    t.ok(elements < 65_000, `${elements} elements`)
  }
})
