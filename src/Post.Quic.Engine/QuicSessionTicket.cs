using System.Net;
using Post.Quic.Engine.Addressing;
using Post.Quic.Engine.Bounds;
using Post.Quic.Engine.Tls;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine;

/// <summary>
/// What a client keeps of a connection to start the next one to the same server quickly: the TLS session, the server's
/// limits, and the token that proves its address. Use each once, so that observers cannot link connections (RFC 8446
/// appendix C.4).
/// </summary>
public sealed class QuicSessionTicket
{
    private const int AddressLength = 16;

    internal QuicSessionTicket(TlsSessionTicket tls, ReadOnlyMemory<byte> addressToken, IPEndPoint remoteEndPoint)
    {
        Tls = tls;
        AddressToken = addressToken;
        RemoteEndPoint = remoteEndPoint;
    }

    /// <summary>The name of the server that gave it.</summary>
    public string ServerName => Tls.ServerName;

    /// <summary>
    /// Where that server was. Early data goes to one address, without a second try at the next of a name: this is the one that
    /// answered last.
    /// </summary>
    public IPEndPoint RemoteEndPoint { get; }

    /// <summary>When it becomes useless.</summary>
    public DateTimeOffset ExpiresAt => Tls.ReceivedAt + Tls.Lifetime;

    /// <summary>The server takes early data with it.</summary>
    public bool AllowsEarlyData => Tls.AllowsEarlyData;

    internal TlsSessionTicket Tls { get; }

    /// <summary>From a NEW_TOKEN frame (RFC 9000 section 8.1.3); may be empty.</summary>
    internal ReadOnlyMemory<byte> AddressToken { get; }

    /// <summary>Reads what <see cref="ToArray"/> gave.</summary>
    /// <param name="stored">The bytes.</param>
    /// <param name="ticket">The ticket.</param>
    /// <returns>False for anything else.</returns>
    public static bool TryParse(ReadOnlySpan<byte> stored, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out QuicSessionTicket? ticket)
    {
        ticket = null;
        var reader = new WireReader(stored);
        if (!reader.TryReadVarBytes(out ReadOnlySpan<byte> tls)
            || !reader.TryReadVarBytes(out ReadOnlySpan<byte> token)
            || token.Length > Limits.MaxTokenLength
            || !reader.TryReadBytes(AddressLength, out ReadOnlySpan<byte> address)
            || !reader.TryReadUInt32(out uint scope)
            || !reader.TryReadUInt16(out ushort port)
            || !reader.IsEmpty
            || !TlsSessionTicket.TryParse(tls, out TlsSessionTicket? parsed))
        {
            return false;
        }

        ticket = new QuicSessionTicket(parsed!, token.ToArray(), NetworkAddress.FromBytes(address, port, scope).ToEndPoint());
        return true;
    }

    /// <summary>The ticket as bytes to keep. They are secret: whoever has them can resume in our name.</summary>
    public byte[] ToArray()
    {
        byte[] tls = Tls.ToArray();
        byte[] stored = new byte[VarInt.Length((ulong)tls.Length) + tls.Length
            + VarInt.Length((ulong)AddressToken.Length) + AddressToken.Length
            + AddressLength + sizeof(uint) + sizeof(ushort)];
        var writer = new WireWriter(stored);
        writer.WriteVarBytes(tls);
        writer.WriteVarBytes(AddressToken.Span);
        NetworkAddress remote = NetworkAddress.FromEndPoint(RemoteEndPoint);
        remote.WriteBytes(writer.Rest);
        writer.Advance(AddressLength);
        writer.WriteUInt32(remote.ScopeId);
        writer.WriteUInt16(remote.Port);
        return stored;
    }
}
