/** What a transaction's steps for directories and links are made of: made, given away, removed, and brought back. */
export const directories = `
# the directory itself, not what somebody may have put in its place: run in a subshell, which then stands in it
stand_in() { i=$(stat -c '%F %d:%i' -- "$1") && cd -P -- "$1" && [ "$(stat -c '%F %d:%i' .)" = "$i" ]; }
# attributes PATH MODE OWNER:GROUP; five digits, because with four chmod keeps a set-group-ID bit that is there
attributes() (
  stand_in "$1" || { echo "$1 is not a directory"; return 1; }
  own . "$3" && chmod "0$2" . && sync .
)
# make_directory ID PATH MODE OWNER GROUP
make_directory() {
  if [ -L "$2" ] || { [ -e "$2" ] && [ ! -d "$2" ]; }; then echo "$2 is not a directory"; return 1; fi
  held "$2" && hands "$2" && printf '%s' "$2" >"$d/target-$1" || return 1
  if [ -d "$2" ]; then stat -c '%a %u:%g' -- "$2" >"$d/directory-$1"; else : >"$d/absent-$1"; fi
  sync "$d/target-$1" "$d" || return 1
  if [ ! -d "$2" ]; then by_hands mkdir -m 0700 -- "$2" || return 1; fi
  attributes "$2" "$3" "$4:$5" && sync "\${2%/*}/"
}
unmake_directory() {
  t=$(cat "$d/target-$1" 2>/dev/null) && hands "$t" || return 0
  if [ -e "$d/directory-$1" ]; then read -r m o <"$d/directory-$1" && attributes "$t" "0$m" "$o"
  elif [ -e "$d/absent-$1" ] && [ -d "$t" ]; then by_hands rmdir -- "$t" && sync "\${t%/*}/"
  fi
}
# make_link ID PATH TARGET
make_link() {
  if [ -d "$2" ] && [ ! -L "$2" ]; then echo "$2 is a directory"; return 1; fi
  held "$2" && keep "$1" "$2" && by_hands ln -s -- "$3" "$p" && by_hands mv -fT -- "$p" "$2" && sync "\${2%/*}/"
}
# remove_directory ID PATH all|empty: until the commit it only has another name
remove_directory() {
  if [ ! -e "$2" ] && [ ! -L "$2" ]; then return 0; fi
  if [ -L "$2" ] || [ ! -d "$2" ]; then echo "$2 is not a directory"; return 1; fi
  hands "$2" && beside "$2" || return 1
  printf '%s' "$2" >"$d/target-$1" && printf '%s' "$p" >"$d/aside-$1" && sync "$d/target-$1" "$d/aside-$1" "$d" || return 1
  by_hands mv -T -- "$2" "$p" && sync "\${2%/*}/" || return 1
  if [ "$3" = empty ] && [ -n "$(ls -A -- "$p")" ]; then echo "$2 is not empty"; return 1; fi
}
# where a file system cannot rename a directory, mv copies it: what was cut short there is made whole
bring_back() {
  t=$(cat "$d/target-$1" 2>/dev/null) && p=$(cat "$d/aside-$1" 2>/dev/null) && hands "$t" || return 0
  if [ ! -e "$p" ]; then return 0; fi
  if [ -e "$t" ]; then by_hands cp -an -- "$p/." "$t/" && rm -rf --one-file-system -- "$p"
  else by_hands mv -T -- "$p" "$t"; fi && sync "\${t%/*}/"
}
`

/** Removes for good what a committed transaction of the journal \$1 had put aside. */
export const discard = `
discard() {
  x=0
  for a in "$1"/aside-*; do
    if [ -e "$a" ]; then rm -rf --one-file-system -- "$(cat "$a")" || x=1; fi
  done
  return $x
}
`
