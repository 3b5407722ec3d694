import type { Report } from '../../src/core/report.ts'
import { drift, error, host, report, saved, task } from './run-events.ts'

const labels = ['swapfile', 'sysctl', 'pgconf', 'nginxconf', 'pm2eco', 'logrotate', 'motd', 'cron', 'timer', 'users']

/** A diff of some twenty lines. */
function diffOf(path: string, value: string): string {
  const lines = Array.from({ length: 20 }, (_, line) => `${'-+ '[line % 3]}setting_${line} = ${value}`)
  return `--- ${path}\n+++ ${path}\n@@ -1,20 +1,20 @@\n${lines.join('\n')}\n`
}

/** A fleet of ten tasks a host, a third of which differ: alike on all hosts, or on each host in another way. */
export function largeReport(hosts: number, { alike }: { readonly alike: boolean }): Report {
  const all = Array.from({ length: hosts }, (_, n) => {
    const name = `web${n}.prod.example.com`
    if (n % 97 === 5)
      return host(name, [], { status: 'unreachable', error: error({ code: 'connect-timeout', step: null }) })
    const tasks = labels.map((label, index) => {
      if ((n * 7 + index) % 3 !== 0) return task({ label, module: label })
      const path = `/etc/${label}.conf`
      return drift({ label, module: label, changes: [{ ...saved, path, diff: diffOf(path, alike ? 'x' : name) }] })
    })
    const parts = [
      { task: 'pm2eco', MiB: 850 + (n % 9), what: '1 x 850' },
      { task: 'system', MiB: 350, what: 'kernel' },
    ]
    const budget = { ramMiB: 1928, plannedMiB: 1200 + (n % 9), parts }
    return host(name, tasks, { status: tasks.some(({ status }) => status === 'drift') ? 'drift' : 'ok', budget })
  })
  return report(all)
}
