using System.Security.Cryptography;
using Post.Quic.Engine.Bounds;
using Post.Quic.Engine.Crypto;
using Post.Quic.Engine.Tls.Alerts;
using Post.Quic.Engine.Tls.Certificates;
using Post.Quic.Engine.Tls.Keys;
using Post.Quic.Engine.Tls.Messages;
using Post.Quic.Engine.Tls.Tickets;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Tls;

/// <summary>The ticket of a client that a server resumes with, and the rules by which one is taken.</summary>
internal sealed class TicketSelection : IDisposable
{
    private TicketSelection(ServerTicket ticket, int index, uint clientAge, PeerCredential? client)
    {
        Ticket = ticket;
        Index = index;
        ClientAge = TimeSpan.FromMilliseconds(clientAge);
        Client = client;
    }

    public ServerTicket Ticket { get; }

    /// <summary>Which of the client's keys it is.</summary>
    public int Index { get; }

    /// <summary>How old the client says the ticket is.</summary>
    public TimeSpan ClientAge { get; }

    /// <summary>Who the client was when the session was made; null where it was anonymous.</summary>
    public PeerCredential? Client { get; }

    /// <summary>The first ticket that fits what is negotiated; nothing where a full handshake has to be made.</summary>
    public static TicketSelection? Find(
        TlsServerOptions options, ClientOffer offer, ReadOnlySpan<byte> protocol, CipherSuite retriedSuite, DateTimeOffset now)
    {
        if (options.TicketKeys is not { } keys || !offer.OffersKeys || !offer.TakesTickets)
        {
            return null;
        }

        for (int i = 0; i < Limits.MaxPskIdentities; i++)
        {
            if (!offer.PreSharedKeys.TryGet(i, out ReadOnlySpan<byte> identity, out uint obfuscatedAge, out _))
            {
                return null;
            }

            if (ServerTicket.Open(keys, identity, now) is not { } ticket)
            {
                continue;
            }

            if (Fits(ticket, options, offer, protocol, retriedSuite) &&
                TryReadIdentity(ticket, options, offer, now, out PeerCredential? client))
            {
                return new TicketSelection(ticket, i, unchecked(obfuscatedAge - ticket.AgeAdd), client);
            }

            ticket.Dispose();
        }

        return null;
    }

    /// <summary>
    /// Checks the client's proof that it knows the key: a MAC over its hello up to the binders (RFC 8446 section
    /// 4.2.11.2).
    /// </summary>
    public TransportError CheckBinder(PreSharedKeys keys, ReadOnlySpan<byte> hello, Transcript transcript, KeySchedule schedule)
    {
        _ = keys.TryGet(Index, out _, out _, out ReadOnlySpan<byte> binder);
        Span<byte> hash = stackalloc byte[CipherSuiteExtensions.MaxHashLength];
        int length = transcript.WithPartial(Ticket.Suite, hello[..^keys.BindersLength], hash);
        Span<byte> expected = stackalloc byte[CipherSuiteExtensions.MaxHashLength];
        expected = expected[..schedule.HashLength];
        using SecretBuffer binderKey = schedule.DeriveWithoutMessages("res binder"u8);
        schedule.FinishedMac(binderKey.Span, hash[..length], expected);
        return CryptographicOperations.FixedTimeEquals(expected, binder)
            ? default
            : TlsError.Alert(TlsAlert.DecryptError, "The binder of a pre-shared key is wrong.");
    }

    /// <summary>
    /// Whether early data is taken (RFC 8446 sections 4.2.10 and 8): under the first key only, with nothing changed that it
    /// was sent under, fresh, and once.
    /// </summary>
    public bool AcceptsEarlyData(TlsServerOptions options, CipherSuite suite, PreSharedKeys keys, DateTimeOffset now)
    {
        if (!options.EnableEarlyData || options.AntiReplay is not { } memory ||
            Index != 0 || !Ticket.AllowsEarlyData || Ticket.Suite != suite ||
            !Ticket.EarlyDataContext.AsSpan().SequenceEqual(options.EarlyDataContext.Span))
        {
            return false;
        }

        // RFC 8446 section 8.3: a replay that comes late shows a wrong age.
        TimeSpan difference = now - Ticket.IssuedAt - ClientAge;
        if (difference.Duration() > options.EarlyDataWindow)
        {
            return false;
        }

        // RFC 8446 section 8.2: within the window, each hello once; its binder is as unique as itself.
        _ = keys.TryGet(Index, out _, out _, out ReadOnlySpan<byte> binder);
        return memory.TryUse(binder, now, now + (2 * options.EarlyDataWindow));
    }

    public void Dispose() => Ticket.Dispose();

    private static bool Fits(
        ServerTicket ticket, TlsServerOptions options, ClientOffer offer, ReadOnlySpan<byte> protocol, CipherSuite retriedSuite) =>
        options.CipherSuites.Contains(ticket.Suite) &&
        VectorReading.ContainsNumber(offer.Hello.CipherSuites, (ushort)ticket.Suite) &&
        (retriedSuite == CipherSuite.None || retriedSuite == ticket.Suite) &&
        protocol.SequenceEqual(ticket.ApplicationProtocol) &&

        // RFC 7250 section 4.2: the server goes on as what it showed, which the client must still take; and which this server
        // must still have to show.
        offer.ServerCertificateTypes.Contains((byte)ticket.ServerType) &&
        options.OwnTypes.Contains(ticket.ServerType) &&

        // RFC 8446 section 4.6.1: a session belongs to its name.
        string.Equals(ticket.ServerName, offer.ServerName, StringComparison.Ordinal);

    // A resumed client shows nothing: what the ticket has of it must satisfy the rules of today.
    private static bool TryReadIdentity(
        ServerTicket ticket, TlsServerOptions options, ClientOffer offer, DateTimeOffset now, out PeerCredential? client)
    {
        client = null;
        if (!ticket.ValidationPolicy.AsSpan().SequenceEqual(PolicyOf(options)))
        {
            return false;
        }

        if (ticket.ClientCertificate.Length == 0)
        {
            return options.ClientCertificateMode != ClientCertificateMode.Required;
        }

        return offer.ClientCertificateTypes.Contains((byte)ticket.ClientType)
            && !PeerCredentialParser.Parse(ticket.ClientType, [ticket.ClientCertificate], options.Crypto, out client).IsError
            && client!.IsValidAt(now);
    }

    /// <summary>The rules clients are judged by, as they stand in tickets; empty where clients are anonymous.</summary>
    public static byte[] PolicyOf(TlsServerOptions options) =>
        options.ClientCertificateMode == ClientCertificateMode.None ? [] : options.CertificatePolicy.Fingerprint(string.Empty);
}
