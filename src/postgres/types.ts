import type pg from 'pg';

const number = (text: string): number => Number(text);
const json = (text: string): unknown => JSON.parse(text);
const asText = (text: string): string => text;

const refuse = (kind: string, instead: string) => (): never => {
  throw new Error(`djr must not read ${kind} as the session prints it: select ${instead}`);
};

/** Parsers by the oid of the type. Values of all other types are read as texts. */
const PARSERS: Record<number, (text: string) => unknown> = {
  16: (text) => text === 't',
  20: number,
  21: number,
  23: number,
  114: json,
  3802: json,
  1700: number,
  700: refuse('a float', 'it as numeric'),
  701: refuse('a float', 'it as numeric'),
  1184: refuse('a time', 'its milliseconds'),
  1114: refuse('a time', 'its milliseconds'),
  1186: refuse('an interval', 'its text'),
};

/**
 * The parsers for results of djr's own statements. With `pg.types.setTypeParser` an app changes the parsers of its whole process, and a
 * database or role may set datestyle and extra_float_digits. So every statement of djr brings these parsers, and selects only values that
 * look the same everywhere. An integer that may exceed 2^53 is selected as text.
 */
export const TYPES: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number) => PARSERS[oid] ?? asText) as pg.CustomTypesConfig['getTypeParser'],
};

/** A timestamptz as milliseconds since 1970, for a select list; null if a Date cannot hold them. */
export const milliseconds = (column: string): string =>
  `case when pg_catalog.isfinite(${column}) and ${column} operator(pg_catalog.<) pg_catalog.to_timestamp(8e12)
        then pg_catalog.trunc(extract(epoch from ${column}) operator(pg_catalog.*) 1000::pg_catalog.numeric) end`;
