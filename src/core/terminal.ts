import { stripVTControlCharacters } from 'node:util'

// C0 without \t and \n, DEL, C1, and the marks that reorder text on a screen
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this is about
const control = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g

// string sequences (OSC, DCS, APC, PM, SOS) up to their end; the library knows only some
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this is about
const strings = /(?:\u001b[\]PX^_]|[\u0090\u0098\u009d-\u009f])[^\u0007\u001b\u009c\n]*(?:\u0007|\u001b\\|\u009c)/g

/** What a host said, safe to show on a terminal: no escape sequences, no control characters but \n and \t. */
export function printable(text: string): string {
  return stripVTControlCharacters(text.replace(strings, '')).replace(/\r\n?/g, '\n').replace(control, '')
}

/** Text with a sign in place of each half of a character, which no encoding can hold. */
export const wellFormed = (text: string): string => text.replaceAll(/\p{Surrogate}/gu, '\ufffd')

/** The beginning of a text that is longer than so many characters, and a sign that it is no more than that. */
export function shortened(text: string, most: number): string {
  return text.length > most ? `${wellFormed(text.slice(0, most))}…` : text
}
