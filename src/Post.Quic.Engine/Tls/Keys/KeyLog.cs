namespace Post.Quic.Engine.Tls.Keys;

/// <summary>Writes lines in the format of SSLKEYLOGFILE (RFC 9850), for those who debug with a packet capture.</summary>
internal sealed class KeyLog(Action<string>? write, ReadOnlyMemory<byte> clientRandom)
{
    private Action<string>? _write = write;

    public void Add(string label, ReadOnlySpan<byte> secret)
    {
        if (_write is null)
        {
            return;
        }

        try
        {
            _write($"{label} {Convert.ToHexStringLower(clientRandom.Span)} {Convert.ToHexStringLower(secret)}");
        }
        catch (Exception)
        {
            // A log that fails (a full disk) must not fail the handshake; it gets no more lines.
            _write = null;
        }
    }
}
