using System.Security.Cryptography;
using System.Text;
using Post.Quic.Engine.Bounds;
using Post.Quic.Engine.Crypto;
using Post.Quic.Engine.Tls.Keys;
using Post.Quic.Engine.Tls.Messages;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Tls.Tickets;

/// <summary>What a server must know of a session to resume it: the content of its tickets.</summary>
internal sealed class ServerTicket : IDisposable
{
    private const byte Format = 3;

    public required CipherSuite Suite { get; init; }

    public required SecretBuffer Secret { get; init; }

    public required DateTimeOffset IssuedAt { get; init; }

    /// <summary>When both sides last showed certificates: what a session and all resumed from it rest on.</summary>
    public required DateTimeOffset AuthenticatedAt { get; init; }

    public required uint AgeAdd { get; init; }

    public required string ServerName { get; init; }

    public required byte[] ApplicationProtocol { get; init; }

    public required bool AllowsEarlyData { get; init; }

    /// <summary>What early data relies on; see <see cref="TlsServerOptions.EarlyDataContext"/>.</summary>
    public required byte[] EarlyDataContext { get; init; }

    /// <summary>What the server showed.</summary>
    public required CertificateType ServerType { get; init; }

    /// <summary>What <see cref="ClientCertificate"/> is.</summary>
    public required CertificateType ClientType { get; init; }

    /// <summary>The certificate or the key that the client was identified by (DER); empty where it had none.</summary>
    public required byte[] ClientCertificate { get; init; }

    /// <summary>The rules it was judged by.</summary>
    public required byte[] ValidationPolicy { get; init; }

    public byte[] Seal(TicketKeyRing keys, DateTimeOffset now)
    {
        var writer = new MessageWriter();
        writer.WriteByte(Format);
        writer.WriteUInt16((ushort)Suite);
        writer.WriteVector8(Secret.Span);
        writer.WriteUInt64((ulong)IssuedAt.ToUnixTimeMilliseconds());
        writer.WriteUInt64((ulong)AuthenticatedAt.ToUnixTimeMilliseconds());
        writer.WriteUInt32(AgeAdd);
        writer.WriteVector8(Encoding.ASCII.GetBytes(ServerName));
        writer.WriteVector8(ApplicationProtocol);
        writer.WriteByte(AllowsEarlyData ? (byte)1 : (byte)0);
        writer.WriteVector16(EarlyDataContext);
        writer.WriteByte((byte)ServerType);
        writer.WriteByte((byte)ClientType);
        writer.WriteVector16(ClientCertificate);
        writer.WriteVector8(ValidationPolicy);
        byte[] ticket = keys.Seal(writer.Written, now);
        CryptographicOperations.ZeroMemory(writer.Written);
        return ticket;
    }

    /// <summary>Opens a ticket; nothing when it is not ours, too old or of another format.</summary>
    public static ServerTicket? Open(TicketKeyRing keys, ReadOnlySpan<byte> ticket, DateTimeOffset now)
    {
        using SecretBuffer? content = keys.Open(ticket, now);
        if (content is null)
        {
            return null;
        }

        var reader = new WireReader(content.Span);
        if (!reader.TryReadByte(out byte format) || format != Format ||
            !reader.TryReadUInt16(out ushort suite) || !((CipherSuite)suite).IsKnown() ||
            !reader.TryReadVector8(out ReadOnlySpan<byte> secret) ||
            !reader.TryReadUInt64(out ulong issued) ||
            !reader.TryReadUInt64(out ulong authenticated) ||
            !reader.TryReadUInt32(out uint ageAdd) ||
            !reader.TryReadVector8(out ReadOnlySpan<byte> name) ||
            !reader.TryReadVector8(out ReadOnlySpan<byte> protocol) ||
            !reader.TryReadByte(out byte earlyData) ||
            !reader.TryReadVector16(out ReadOnlySpan<byte> context) ||
            !reader.TryReadByte(out byte serverType) ||
            !reader.TryReadByte(out byte clientType) ||
            !reader.TryReadVector16(out ReadOnlySpan<byte> certificate) ||
            !reader.TryReadVector8(out ReadOnlySpan<byte> policy))
        {
            return null;
        }

        DateTimeOffset issuedAt = DateTimeOffset.FromUnixTimeMilliseconds((long)issued);
        DateTimeOffset authenticatedAt = DateTimeOffset.FromUnixTimeMilliseconds((long)authenticated);

        // RFC 8446 section 4.6.1: tickets of resumed sessions must not go on for ever from one proof of identity.
        if (now >= issuedAt + keys.Lifetime || now >= authenticatedAt + Limits.MaxSessionAge)
        {
            return null;
        }

        return new ServerTicket
        {
            Suite = (CipherSuite)suite,
            Secret = new SecretBuffer(secret),
            IssuedAt = issuedAt,
            AuthenticatedAt = authenticatedAt,
            AgeAdd = ageAdd,
            ServerName = Encoding.ASCII.GetString(name),
            ApplicationProtocol = protocol.ToArray(),
            AllowsEarlyData = earlyData != 0,
            EarlyDataContext = context.ToArray(),
            ServerType = (CertificateType)serverType,
            ClientType = (CertificateType)clientType,
            ClientCertificate = certificate.ToArray(),
            ValidationPolicy = policy.ToArray(),
        };
    }

    public void Dispose() => Secret.Dispose();
}
