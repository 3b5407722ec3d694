/** What runs on the host in `sh`. */

/** Prints the time, then when apt's directory of lists and each list of packages last changed. */
export const listTimes = [
  'sh',
  '-c',
  "date +%s; find /var/lib/apt/lists -maxdepth 1 '(' -path /var/lib/apt/lists -o -name '*_Packages*' ')' -printf '%C@ %f\\n'",
]

/** `patiently SECONDS COMMAND...`: a command that does not wait for locks of dpkg or apt itself, until it gets them. */
const patiently = `patiently() {
  e=$(($(date +%s) + $1)); shift
  while :; do
    r=0; o=$("$@" 2>&1) || r=$?
    case $r:$o in
      0:*) ;;
      *'Could not get lock'* | *'was locked by another'*) if [ "$(date +%s)" -lt "$e" ]; then sleep 1; continue; fi ;;
    esac
    printf '%s\\n' "$o"; return "$r"
  done
}`

/** Runs a command once it gets its lock. */
export const patient = (seconds: number, argv: readonly string[]): readonly string[] => [
  'sh',
  '-c',
  `${patiently}; patiently "$@"`,
  'patient',
  String(seconds),
  ...argv,
]

/**
 * Fetches the lists, and sees that these packages are in them: apt-get would take a name that it does not know for a regular
 * expression. Sources that cannot be reached are told by the output only, since they may have nothing that is wanted.
 */
export const fetchLists = (seconds: number, names: readonly string[]): readonly string[] => [
  'sh',
  '-c',
  `${patiently}
s=$1 r=0; shift
patiently "$s" apt-get -q update || exit
for p do
  [ -n "$(apt-cache madison "$p")" ] || { echo "E: apt knows no package $p, with its lists fetched anew"; r=1; }
done
exit "$r"`,
  'fetch-lists',
  String(seconds),
  ...names,
]

/**
 * `put-back listed|whole APT-GET...`: brings packages back to what standard input says of each (a version, `none`, or `config`
 * where only its configuration was there, `-` where it is to be left as it is); with `whole`, those that it does not name were not there. What is so already is left.
 */
const putBack = `mode=$1; shift
todo=$({ cat; echo ---; dpkg-query -W -f '\${binary:Package} =\${Version} \${db:Status-Abbrev}\\n'; } |
  awk -v mode="$mode" -v native=":$(dpkg --print-architecture)" '
    $1 == "---" { now = 1; next }
    !now { was[$1] = $2; next }
    {
      name = $1
      if (substr(name, length(name) - length(native) + 1) == native) name = substr(name, 1, length(name) - length(native))
      if (!(name in was)) { if (mode != "whole") next; was[name] = "none" }
      state = substr($3, 2, 1); seen[name] = 1
      if (was[name] == "none" || was[name] == "config") {
        if (state !~ /[nc]/) print "back " name "-"
        if (state != "n" && was[name] == "none") print "purge " name
      } else if (was[name] != "-" && (state != "i" || $2 != "=" was[name])) print "back " name "=" was[name]
    }
    END { for (name in was) if (!(name in seen) && was[name] ~ /^[0-9]/) print "back " name "=" was[name] }')
back=$(printf '%s\\n' "$todo" | sed -n 's/^back //p')
purge=$(printf '%s\\n' "$todo" | sed -n 's/^purge //p')
# a killed dpkg refuses to go on before it has ended that; whether all of it can be configured does not matter here
if [ -n "$back$purge" ] && ls /var/lib/dpkg/updates/[0-9]* >/dev/null 2>&1; then dpkg --force-confold --configure -a || :; fi
[ -z "$back" ] || "$@" --allow-downgrades install $back || exit
[ -z "$purge" ] || "$@" purge $purge`

export const putBackBy = (mode: 'listed' | 'whole', aptGet: readonly string[]): readonly string[] => [
  'sh',
  '-c',
  putBack,
  'put-back',
  mode,
  ...aptGet,
]
