using System.Net.Security;
using System.Security.Cryptography;
using System.Text;
using Post.Quic.Engine.Bounds;
using Post.Quic.Engine.Crypto;
using Post.Quic.Engine.Tls.Messages;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Tls;

/// <summary>
/// All that a client must remember to resume a session, with or without early data. It holds a secret: whoever has it
/// can resume in the client's name.
/// </summary>
internal sealed class TlsSessionTicket
{
    /// <summary>RFC 8446 section 4.6.1: no ticket lives longer than 7 days.</summary>
    public const uint MaxLifetimeSeconds = 7 * 24 * 60 * 60;

    private const byte Format = 3;

    /// <summary>A week before the end of the calendar, in milliseconds: what is added to it stays in it.</summary>
    private static readonly ulong LastMoment = (ulong)(DateTimeOffset.MaxValue - Limits.MaxSessionAge).ToUnixTimeMilliseconds();

    public required string ServerName { get; init; }

    public required SslApplicationProtocol ApplicationProtocol { get; init; }

    public required CipherSuite CipherSuite { get; init; }

    /// <summary>The server's ticket, opaque to us.</summary>
    public required byte[] Identity { get; init; }

    /// <summary>The pre-shared key (RFC 8446 section 4.6.1).</summary>
    public required byte[] Secret { get; init; }

    public required uint AgeAdd { get; init; }

    public required DateTimeOffset ReceivedAt { get; init; }

    /// <summary>When the server last showed its certificate: in the session of the ticket, or in one that it resumed.</summary>
    public required DateTimeOffset AuthenticatedAt { get; init; }

    public required TimeSpan Lifetime { get; init; }

    public required bool AllowsEarlyData { get; init; }

    /// <summary>
    /// The server's transport parameters of the session the ticket comes from: the limits of early data (RFC 9000
    /// section 7.4.1).
    /// </summary>
    public required byte[] TransportParameters { get; init; }

    /// <summary>What <see cref="PeerCertificate"/> is.</summary>
    public required CertificateType PeerType { get; init; }

    /// <summary>The certificate or the key (DER) that the server was identified by; a resumed session shows none.</summary>
    public required byte[] PeerCertificate { get; init; }

    /// <summary>
    /// SHA-256 of the certificate or the key that we showed, empty where none: the server goes on taking us for its owner, so the
    /// ticket is not used under another.
    /// </summary>
    public required byte[] OwnCertificate { get; init; }

    /// <summary>Which rules the certificate was judged by: under other rules the ticket is not used.</summary>
    public required byte[] ValidationPolicy { get; init; }

    /// <summary>Whether the server may still take it, and we the server for whom its certificate said it is.</summary>
    public bool IsAlive(DateTimeOffset now) =>
        now >= ReceivedAt && now < ReceivedAt + Lifetime && now < AuthenticatedAt + Limits.MaxSessionAge;

    /// <summary>The ticket as bytes, to be stored where only its owner can read.</summary>
    public byte[] ToArray()
    {
        var writer = new MessageWriter();
        writer.WriteByte(Format);
        writer.WriteVector16(Encoding.UTF8.GetBytes(ServerName));
        writer.WriteVector8(ApplicationProtocol.Protocol.Span);
        writer.WriteUInt16((ushort)CipherSuite);
        writer.WriteVector16(Identity);
        writer.WriteVector8(Secret);
        writer.WriteUInt32(AgeAdd);
        writer.WriteUInt64((ulong)ReceivedAt.ToUnixTimeMilliseconds());
        writer.WriteUInt64((ulong)AuthenticatedAt.ToUnixTimeMilliseconds());
        writer.WriteUInt32((uint)Lifetime.TotalSeconds);
        writer.WriteByte(AllowsEarlyData ? (byte)1 : (byte)0);
        writer.WriteVector16(TransportParameters);
        writer.WriteByte((byte)PeerType);
        writer.WriteVector24(PeerCertificate);
        writer.WriteVector8(OwnCertificate);
        writer.WriteVector8(ValidationPolicy);
        byte[] stored = writer.Written.ToArray();
        CryptographicOperations.ZeroMemory(writer.Written);
        return stored;
    }

    /// <summary>Reads what <see cref="ToArray"/> gave; false for anything else.</summary>
    public static bool TryParse(ReadOnlySpan<byte> stored, out TlsSessionTicket? ticket)
    {
        ticket = null;
        var reader = new WireReader(stored);
        if (!reader.TryReadByte(out byte format) || format != Format ||
            !reader.TryReadVector16(out ReadOnlySpan<byte> serverName) ||
            !reader.TryReadVector8(out ReadOnlySpan<byte> protocol) || protocol.IsEmpty ||
            !reader.TryReadUInt16(out ushort suite) || !((CipherSuite)suite).IsKnown() ||
            !reader.TryReadVector16(out ReadOnlySpan<byte> identity) || identity.IsEmpty ||
            !reader.TryReadVector8(out ReadOnlySpan<byte> secret) || secret.Length != ((CipherSuite)suite).HashLength() ||
            !reader.TryReadUInt32(out uint ageAdd) ||
            !reader.TryReadUInt64(out ulong receivedAt) || receivedAt > LastMoment ||
            !reader.TryReadUInt64(out ulong authenticatedAt) || authenticatedAt > LastMoment ||
            !reader.TryReadUInt32(out uint lifetime) || lifetime > MaxLifetimeSeconds ||
            !reader.TryReadByte(out byte earlyData) || earlyData > 1 ||
            !reader.TryReadVector16(out ReadOnlySpan<byte> parameters) ||
            !reader.TryReadByte(out byte peerType) || !Enum.IsDefined((CertificateType)peerType) ||
            !reader.TryReadVector24(out ReadOnlySpan<byte> certificate) || certificate.IsEmpty ||
            !reader.TryReadVector8(out ReadOnlySpan<byte> own) ||
            !reader.TryReadVector8(out ReadOnlySpan<byte> policy) ||
            !reader.IsEmpty)
        {
            return false;
        }

        ticket = new TlsSessionTicket
        {
            ServerName = Encoding.UTF8.GetString(serverName),
            ApplicationProtocol = new SslApplicationProtocol(protocol.ToArray()),
            CipherSuite = (CipherSuite)suite,
            Identity = identity.ToArray(),
            Secret = secret.ToArray(),
            AgeAdd = ageAdd,
            ReceivedAt = DateTimeOffset.FromUnixTimeMilliseconds((long)receivedAt),
            AuthenticatedAt = DateTimeOffset.FromUnixTimeMilliseconds((long)authenticatedAt),
            Lifetime = TimeSpan.FromSeconds(lifetime),
            AllowsEarlyData = earlyData != 0,
            TransportParameters = parameters.ToArray(),
            PeerType = (CertificateType)peerType,
            PeerCertificate = certificate.ToArray(),
            OwnCertificate = own.ToArray(),
            ValidationPolicy = policy.ToArray(),
        };
        return true;
    }
}
