using Post.Quic.Engine;
using Post.Quic.Security;

namespace Post.Quic.Managed;

/// <summary>Sessions of the managed engine in a <see cref="SessionStore"/>.</summary>
internal static class SessionTickets
{
    /// <summary>Null where there is none that can be read.</summary>
    public static QuicSessionTicket? TakeTicket(this SessionStore store) =>
        store.TryTake(out ReadOnlyMemory<byte> stored) && QuicSessionTicket.TryParse(stored.Span, out QuicSessionTicket? ticket) ? ticket : null;

    public static void Keep(this SessionStore store, QuicSessionTicket ticket) => store.Keep(ticket.ToArray(), ticket.ExpiresAt);
}
