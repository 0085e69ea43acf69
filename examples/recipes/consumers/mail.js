/**
 * A mail for each event.
 *
 * @param {import('djr').Realtime<{ order_paid: { account_id: number, order_id: number } }>} realtime
 * @param {{ sendMail(mail: object): Promise<unknown> }} transport - one of nodemailer
 */
export const sendMails = (realtime, transport) =>
  realtime.consume(
    'mail',
    async (events, { client }) => {
      for (const { id, detail } of events) {
        const { rows } = await client.query('select email from account where id = $1', [detail.account_id]);
        if (rows.length === 0) continue;
        await transport.sendMail({
          // Where the process dies before the commit the mail goes out once more. With the same Message-ID most mailboxes
          // show it once, and a mail service that takes an idempotency key sends it once.
          messageId: `<djr-${id}@shop.example>`,
          headers: { 'Idempotency-Key': `djr-${id}` },
          from: 'shop@shop.example',
          to: rows[0].email,
          subject: 'Thank you for your order',
          text: `We have your payment for order ${detail.order_id}.`,
        });
      }
    },
    // One mail a transaction: one mail at most is sent again.
    { batch: 1, create: { types: ['order_paid'] } },
  );
