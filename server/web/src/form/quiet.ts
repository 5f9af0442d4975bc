/**
 * For texts about people: no keyboard is to learn their words or send them anywhere.
 * Written autoCorrect because browsers that have a property of the name take it for a truth.
 */
export const quiet = { autocomplete: "off", autoCorrect: "off", spellcheck: false } as const;
