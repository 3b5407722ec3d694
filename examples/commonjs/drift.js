// The package is an ES module. `import()` loads it from CommonJS in every version of Node.js that it runs on; so does `require`
// from Node.js 20.19 and 22.12 on.
async function main() {
  const { reconcile } = await import('sak-reconcile')
  const { t3Small } = await import('sak-reconcile/playbooks/t3-small')
  const report = await reconcile({ playbook: t3Small(), dryRun: true, tags: ['memory'] })
  for (const host of report.hosts) {
    for (const task of host.tasks) console.log(host.name, task.label, task.status)
  }
  process.exitCode = report.exitCode
}

main()
