import { together } from 'sak-reconcile'
import { command, cron, directory, file, line, service, template, timer, user } from 'sak-reconcile/modules'
import type { Subject } from './subjects.ts'

const at = (name: string) => `/srv/blocks/${name}`
/** Shell that leaves nothing in the folder of the blocks but what is made there. */
const anew = (make: string) => `rm -rf /srv/blocks; mkdir /srv/blocks; cd /srv/blocks\n${make}`
const timers = '/etc/systemd/system/campaign'

/** The modules that others are built of: each with what it makes, changes and removes. */
export const blockSubjects: readonly Subject[] = [
  {
    name: 'file',
    tasks: [
      together([
        file({ path: at('made'), content: 'made\n', owner: 'ubuntu' }, { label: 'made' }),
        file({ path: at('changed'), content: { base64: 'AP+ACg==' }, mode: '0600' }, { label: 'changed' }),
        file({ path: at('link'), linkTo: 'changed' }, { label: 'link' }),
        file({ path: at('gone'), absent: true }, { label: 'gone' }),
        file({ path: '/home/ubuntu/theirs', content: 'new\n', owner: 'ubuntu' }, { label: 'theirs' }),
      ]),
    ],
    reset: anew(`printf old >changed; chmod 644 changed; ln -s made link; printf gone >gone
install -o ubuntu -g ubuntu -m 640 /etc/hostname /home/ubuntu/theirs`),
  },
  {
    name: 'directory',
    tasks: [
      together([
        directory({ path: at('new/below'), parents: true, owner: 'ubuntu', mode: '2750' }, { label: 'new' }),
        directory({ path: at('other'), mode: '0700', owner: 'ubuntu' }, { label: 'other' }),
        directory({ path: at('gone'), absent: true, recurse: true }, { label: 'gone' }),
      ]),
    ],
    reset: anew(
      'mkdir other gone gone/deep; chmod 2755 other; printf kept >gone/deep/file; ln gone/deep/file gone/twin',
    ),
  },
  {
    name: 'line',
    tasks: [
      together([
        line(
          { path: at('settings'), line: 'Port 2200', match: '^#?Port ', validate: ['grep', '-q', 'Port', '{}'] },
          { label: 'line' },
        ),
        line({ path: at('hosts'), block: '10.0.0.1 one\n10.0.0.2 two\n' }, { label: 'block' }),
      ]),
    ],
    reset: anew("printf '%s\\n' '# kept' '#Port 22' >settings; printf '127.0.0.1 localhost' >hosts; chmod 600 hosts"),
  },
  {
    name: 'template',
    tasks: [
      template({
        path: at('site'),
        template: 'listen <%= port %>;\n',
        vars: { port: 8080 },
        validate: ['grep', '-q', 'listen', '{}'],
      }),
    ],
    reset: anew("echo 'listen 80;' >site"),
  },
  {
    name: 'command',
    tasks: [
      together([
        file({ path: at('beside'), content: 'new\n' }),
        command({
          shell: 'echo new >output.new; mv output.new output',
          cwd: '/srv/blocks',
          unless: ['grep', '-qx', 'new', at('output')],
          undo: [['cp', '-a', at('first'), at('output')]],
          impact: 'none',
        }),
      ]),
    ],
    reset: anew('echo old >first; cp -a first output; cp -a first beside'),
    files: [at('output')],
  },
  {
    name: 'cron',
    tasks: [
      together([
        cron({ name: 'campaign', schedule: '@daily', command: ['true', '100%'] }, { label: 'of the system' }),
        cron(
          { name: 'theirs', schedule: '5 4 * * *', command: 'true', user: 'ubuntu', place: 'crontab' },
          { label: 'of a user' },
        ),
      ]),
    ],
    // crontab(1) would write the time into it
    reset: `rm -f /etc/cron.d/campaign
printf '%s\\n' '# theirs' '1 1 * * * true' | install -o ubuntu -g crontab -m 600 /dev/stdin /var/spool/cron/crontabs/ubuntu`,
  },
  {
    name: 'timer',
    tasks: [timer({ name: 'campaign', command: ['/usr/bin/true'], onCalendar: '*-01-01 03:00' })],
    reset: `systemctl disable --now campaign.timer 2>/dev/null; rm -f ${timers}.timer ${timers}.service; systemctl daemon-reload
systemctl reset-failed campaign.timer 2>/dev/null; true`,
    files: ['/etc/systemd/system/timers.target.wants/campaign.timer'],
    kill: 'systemctl stop campaign.timer',
  },
  {
    name: 'service',
    tasks: [service({ name: 'campaign-app', restartedAfter: [at('app.conf')] })],
    reset: anew(`echo new >app.conf
printf '[Service]\\nExecStart=/usr/bin/sleep infinity\\n[Install]\\nWantedBy=multi-user.target\\n' >/etc/systemd/system/campaign-app.service
systemctl daemon-reload; systemctl disable --now campaign-app 2>/dev/null; systemctl reset-failed campaign-app 2>/dev/null; true`),
    files: ['/etc/systemd/system/multi-user.target.wants/campaign-app.service'],
    kill: 'systemctl kill -s KILL campaign-app',
  },
  {
    name: 'user',
    tasks: [user({ name: 'campaign', groups: ['campaigners', 'adm'], createGroups: true, shell: '/bin/sh' })],
    reset: 'userdel -r campaign 2>/dev/null; groupdel campaigners 2>/dev/null; rm -rf /home/campaign; true',
  },
]
