/** How to log in: the path of a `.creds` file, a user with a password, or a token. */
export type RelayCredentials = string | { user: string; password: string } | { token: string };
