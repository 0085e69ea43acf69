import session from 'cookie-session';
import express from 'express';
import { pool, realtime } from './realtime.js';

export const router = express.Router();

/** The login: a session in a cookie that is signed. */
router.use(session({ name: 'session', secret: process.env.SESSION_SECRET, sameSite: 'lax' }));

// #region mount
router.use((req, res, next) => realtime.handler(req, res, next, { userId: req.session.user }));
// #endregion

router.post('/login', express.urlencoded(), (req, res) => {
  const { name = '' } = req.body ?? {};
  if (/^\w{1,30}$/.test(name)) req.session.user = name;
  res.redirect(303, '/');
});

/** Where the stream stands, and the permission to hear the lobby, in one snapshot. */
router.get('/api/lobby', async (req, res) => {
  const { user } = req.session;
  if (!user) return void res.json(null);
  const { rows } = await pool.query(`select djr.position() as since, djr.seal('lobby', $1::text) as seal`, [user]);
  res.json({ user, ...rows[0] });
});
