export { DjrError } from '../lib/errors.js';
export { type MigrateOptions, migrate, printMigrations, uninstall } from './migrate.js';
