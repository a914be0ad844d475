using Post.Quic.Engine.Connection;
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
    internal QuicSessionTicket(TlsSessionTicket tls, ReadOnlyMemory<byte> addressToken)
    {
        Tls = tls;
        AddressToken = addressToken;
    }

    /// <summary>The name of the server that gave it.</summary>
    public string ServerName => Tls.ServerName;

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
            || !reader.IsEmpty
            || !TlsSessionTicket.TryParse(tls, out TlsSessionTicket? parsed))
        {
            return false;
        }

        ticket = new QuicSessionTicket(parsed!, token.ToArray());
        return true;
    }

    /// <summary>The ticket as bytes to keep. They are secret: whoever has them can resume in our name.</summary>
    public byte[] ToArray()
    {
        byte[] tls = Tls.ToArray();
        byte[] stored = new byte[VarInt.Length((ulong)tls.Length) + tls.Length
            + VarInt.Length((ulong)AddressToken.Length) + AddressToken.Length];
        var writer = new WireWriter(stored);
        writer.WriteVarBytes(tls);
        writer.WriteVarBytes(AddressToken.Span);
        return stored;
    }
}
