/** A controller to be killed: applies a subject to the hosts of an inventory. */
import type { Inventory } from './scene.ts'
import { runOn } from './scene.ts'
import { named, subjects } from './subjects.ts'

const [name = '', inventory = ''] = process.argv.slice(2)
const given: Inventory = JSON.parse(inventory)
const report = await runOn(given, named(subjects, name))
process.exitCode = report.exitCode
