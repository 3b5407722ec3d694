import { type Command, Option } from 'commander'
import { impacts } from '../core/step.ts'
import { reportFormats } from '../reports/formats.ts'
import {
  append,
  appendList,
  appendReport,
  appendVar,
  duration,
  health,
  maxFail,
  positive,
  serial,
} from './option-values.ts'

// Options that several commands have.

export const hostKeyChecking = ['strict', 'accept-new', 'off'] as const

/** The options of all commands that reach hosts. */
export function withRunOptions(command: Command): Command {
  return withLoginOptions(withHostOptions(withReportOptions(command)))
    .option('-t, --tags <tags>', 'only tasks with one of these tags, labels or module names', appendList)
    .option('--skip-tags <tags>', 'all tasks but these', appendList)
    .option('-f, --forks <n>', 'hosts at once (default: 50)', positive)
    .option(
      '--serial <n|p%,...>',
      'in batches of so many hosts, or a share of all; the last counts for all that follow',
      serial,
    )
    .option('--max-fail <n|p%>', 'start no further host when more have failed (default: 0 with --serial)', maxFail)
    .option('--health <url>', 'must answer well after each batch; {address} and {name} are those of each host', health)
    .addOption(
      new Option('--allow <impact>', 'the greatest impact permitted (default: data, everything)').choices(impacts),
    )
    .option('--allow-over-budget', 'apply also where more memory is planned than the host has')
    .option('--lock-wait <time>', "how long to wait for another run's apply on a host (default: 10s)", duration)
    .option('-K, --ask-become-pass', "ask for sudo's password")
    .addOption(
      new Option('--host-key-checking <mode>', 'what to do with an unknown host key (default: strict)').choices(
        hostKeyChecking,
      ),
    )
    .option('--trace <file>', 'write where the time goes, for ui.perfetto.dev or chrome://tracing')
    .option('-y, --yes', 'apply without the question')
}

/** Which hosts. */
export function withHostOptions(command: Command): Command {
  return command
    .option('-i, --inventory <x>', 'a file, an executable, or "host,host,"; may be repeated', append)
    .option('-l, --limit <pattern>', 'only these hosts: names, groups, globs, a:b, a:!b, a:&b, ~regex, @file, failed')
}

/** What is said for all hosts: params, and how to log in. */
export function withLoginOptions(command: Command): Command {
  return command
    .option('-e, --var <k=v>', "a playbook's param, the value as JSON or text; may be repeated", appendVar)
    .option('-u, --user <name>', 'the user to log in as')
    .option('-b, --become', 'be root on the hosts, by sudo')
    .option('--private-key <file>', 'the key to log in with')
    .option('-J, --jump <hosts>', "through these hosts, as ssh's -J")
}

/** The options of all commands that show a report. */
export function withReportOptions(command: Command): Command {
  return command
    .addOption(new Option('--format <format>', 'the report (default: text)').choices(reportFormats))
    .option('--json', 'the same as --format json')
    .option('-o, --output <file>', 'write the report to a file')
    .option('--report <format:file>', 'write a further report, in another format; may be repeated', appendReport)
    .option('-q, --quiet', 'only what needs attention')
    .option('-v, --verbose', 'the steps that were done, too')
    .option('--no-color', 'no colours (NO_COLOR, FORCE_COLOR and TERM=dumb count too)')
}
