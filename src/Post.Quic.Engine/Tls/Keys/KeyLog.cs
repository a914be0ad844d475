namespace Post.Quic.Engine.Tls.Keys;

/// <summary>Writes lines in the format of SSLKEYLOGFILE (RFC 9850), for those who debug with a packet capture.</summary>
internal sealed class KeyLog(Action<string>? write, ReadOnlyMemory<byte> clientRandom)
{
    public void Add(string label, ReadOnlySpan<byte> secret) =>
        write?.Invoke($"{label} {Convert.ToHexStringLower(clientRandom.Span)} {Convert.ToHexStringLower(secret)}");
}
