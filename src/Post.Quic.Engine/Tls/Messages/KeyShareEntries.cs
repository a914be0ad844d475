using Post.Quic.Engine.Crypto;
using Post.Quic.Engine.Tls.Alerts;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Tls.Messages;

/// <summary>The key_share extension (RFC 8446 section 4.2.8) in its three forms.</summary>
internal static class KeyShareEntries
{
    /// <summary>
    /// Checks the form of a client's key shares: no group twice, none that is not among its supported groups.
    /// </summary>
    public static TransportError Check(ReadOnlySpan<byte> body, ReadOnlySpan<byte> supportedGroups, out int count)
    {
        count = 0;
        var outer = new WireReader(body);
        if (!outer.TryReadVector16(out ReadOnlySpan<byte> shares) || !outer.IsEmpty)
        {
            return TlsError.Decode("key_share is malformed.");
        }

        Span<ushort> seen = stackalloc ushort[16];
        var reader = new WireReader(shares);
        while (!reader.IsEmpty)
        {
            if (!reader.TryReadUInt16(out ushort group) || !reader.TryReadVector16(out ReadOnlySpan<byte> share) || share.IsEmpty)
            {
                return TlsError.Decode("key_share is malformed.");
            }

            // RFC 8446 section 4.2.8: no two shares of a group, and no share of a group that is not offered.
            if (count == seen.Length || seen[..count].Contains(group) || !VectorReading.ContainsNumber(supportedGroups, group))
            {
                return TlsError.Illegal("key_share holds a group twice or one that is not offered.");
            }

            seen[count++] = group;
        }

        return default;
    }

    /// <summary>Finds a client's share of a group, after <see cref="Check"/>.</summary>
    public static bool TryFind(ReadOnlySpan<byte> body, NamedGroup group, out ReadOnlySpan<byte> share)
    {
        var outer = new WireReader(body);
        _ = outer.TryReadVector16(out ReadOnlySpan<byte> shares);
        var reader = new WireReader(shares);
        while (reader.TryReadUInt16(out ushort candidate) && reader.TryReadVector16(out share))
        {
            if (candidate == (ushort)group)
            {
                return true;
            }
        }

        share = default;
        return false;
    }

    /// <summary>The one share of a ServerHello.</summary>
    public static bool TryReadServer(ReadOnlySpan<byte> body, out NamedGroup group, out ReadOnlySpan<byte> share)
    {
        var reader = new WireReader(body);
        bool read = reader.TryReadUInt16(out ushort number) & reader.TryReadVector16(out share);
        group = (NamedGroup)number;
        return read && reader.IsEmpty && !share.IsEmpty;
    }

    /// <summary>The group a HelloRetryRequest asks for.</summary>
    public static bool TryReadRetry(ReadOnlySpan<byte> body, out NamedGroup group)
    {
        var reader = new WireReader(body);
        bool read = reader.TryReadUInt16(out ushort number);
        group = (NamedGroup)number;
        return read && reader.IsEmpty;
    }
}
