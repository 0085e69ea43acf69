/** djr in Nest, on Express: `npx tsx --tsconfig examples/nest/tsconfig.json examples/nest/server.ts`. */
import 'reflect-metadata';
import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import {
  type BeforeApplicationShutdown,
  Body,
  type CanActivate,
  Controller,
  type ExecutionContext,
  Get,
  Module,
  type OnApplicationShutdown,
  Param,
  Post,
  Redirect,
  Req,
  UnauthorizedException,
  UseGuards,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { createRealtime } from 'djr';
import type { Request } from 'express';
import session from 'express-session';
import { loginPage, ordersPage, ordersPart } from '../shop/page.js';
import { customerOf, openShop, say } from '../shop/shop.js';

type Session = { session: { customer?: string; destroy(done: () => void): void } };
type Visit = Request & Session;

const shop = await openShop();
const realtime = createRealtime({
  database: shop.databaseUrl,
  // The session that express-session has put on the request.
  authenticate: (_request, { req }) => (req as unknown as Session | undefined)?.session.customer ?? null,
});

class LoggedIn implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    if (context.switchToHttp().getRequest<Visit>().session.customer) return true;
    throw new UnauthorizedException('Log in first.');
  }
}

@Controller()
class Shop {
  @Get()
  async page(@Req() { session: { customer } }: Visit): Promise<string> {
    if (!customer) return loginPage();
    const { orders, ...stream } = await shop.read(customer);
    return ordersPage(customer, orders, shop.scriptTag(realtime, stream));
  }

  @Post('login')
  @Redirect('/', 303)
  login(@Req() { session }: Visit, @Body() { name }: { name?: string }): void {
    session.customer = customerOf(name) ?? undefined;
  }

  @Post('logout')
  @Redirect('/', 303)
  logout(@Req() { session }: Visit): Promise<void> {
    return new Promise((resolve) => session.destroy(resolve));
  }

  @Get('orders')
  @UseGuards(LoggedIn)
  async orders(@Req() { session }: Visit): Promise<string> {
    return ordersPart((await shop.read(session.customer!)).orders);
  }

  @Post('orders')
  @UseGuards(LoggedIn)
  @Redirect('/', 303)
  async order(@Req() { session }: Visit, @Body() { item }: { item?: string }): Promise<void> {
    if (item) await shop.place(session.customer!, item);
  }

  @Post('orders/:id/advance')
  @UseGuards(LoggedIn)
  @Redirect('/', 303)
  async advance(@Req() { session }: Visit, @Param('id') id: string): Promise<void> {
    await shop.advance(session.customer!, Number(id) || 0);
  }
}

// #region stop
class LifeCycle implements BeforeApplicationShutdown, OnApplicationShutdown {
  /** Streams end first: Nest waits for open answers before it calls onApplicationShutdown. */
  beforeApplicationShutdown(): Promise<void> {
    return realtime.stop();
  }

  onApplicationShutdown(): Promise<void> {
    return shop.close();
  }
}

@Module({ controllers: [Shop], providers: [LifeCycle] })
class App {}
// #endregion

// #region mount
const app = await NestFactory.create<NestExpressApplication>(App, { logger: ['error', 'warn'], bodyParser: false });
const secret = process.env.SESSION_SECRET ?? randomBytes(32).toString('hex');
app.use(session({ secret, resave: false, saveUninitialized: false, cookie: { httpOnly: true, sameSite: 'lax' } }));
app.use(realtime.handler); // Behind the session, and before the parsers: a stream needs none.
// #endregion
app.useBodyParser('urlencoded', { limit: '10kb', extended: false });
app.useStaticAssets(fileURLToPath(new URL('../shop/public', import.meta.url)), { index: false });

await realtime.start();
await app.listen(Number(process.env.PORT ?? 3000), '127.0.0.1');
const { port } = app.getHttpServer().address() as AddressInfo;
app.enableShutdownHooks(['SIGTERM', 'SIGINT'], { useProcessExit: true });
say(shop, port);
