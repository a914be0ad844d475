using Post.Quic.Engine.Tls.Alerts;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Tls.Messages;

/// <summary>A client's pre_shared_key extension (RFC 8446 section 4.2.11).</summary>
internal readonly ref struct PreSharedKeys
{
    public ReadOnlySpan<byte> Identities { get; private init; }

    public ReadOnlySpan<byte> Binders { get; private init; }

    /// <summary>Bytes of the binders with their length: what the binders do not cover of the ClientHello.</summary>
    public int BindersLength => Binders.Length + 2;

    public static TransportError Parse(ReadOnlySpan<byte> body, out PreSharedKeys keys)
    {
        keys = default;
        var reader = new WireReader(body);
        if (!reader.TryReadVector16(out ReadOnlySpan<byte> identities) || identities.IsEmpty ||
            !reader.TryReadVector16(out ReadOnlySpan<byte> binders) || binders.IsEmpty ||
            !reader.IsEmpty)
        {
            return TlsError.Decode("pre_shared_key is malformed.");
        }

        int identityCount = 0;
        var identityReader = new WireReader(identities);
        for (; !identityReader.IsEmpty; identityCount++)
        {
            if (!identityReader.TryReadVector16(out ReadOnlySpan<byte> identity) || identity.IsEmpty ||
                !identityReader.TryReadUInt32(out _))
            {
                return TlsError.Decode("pre_shared_key is malformed.");
            }
        }

        int binderCount = 0;
        var binderReader = new WireReader(binders);
        for (; !binderReader.IsEmpty; binderCount++)
        {
            if (!binderReader.TryReadVector8(out ReadOnlySpan<byte> binder) || binder.Length < 32)
            {
                return TlsError.Decode("pre_shared_key is malformed.");
            }
        }

        // RFC 8446 section 4.2.11: each identity has its binder.
        if (identityCount != binderCount)
        {
            return TlsError.Illegal("pre_shared_key has not one binder for each identity.");
        }

        keys = new PreSharedKeys { Identities = identities, Binders = binders };
        return default;
    }

    public bool TryGet(
        int index, out ReadOnlySpan<byte> identity, out uint obfuscatedAge, out ReadOnlySpan<byte> binder)
    {
        var identityReader = new WireReader(Identities);
        var binderReader = new WireReader(Binders);
        for (int i = 0; ; i++)
        {
            obfuscatedAge = 0;
            binder = default;
            if (!identityReader.TryReadVector16(out identity) ||
                !identityReader.TryReadUInt32(out obfuscatedAge) ||
                !binderReader.TryReadVector8(out binder))
            {
                return false;
            }

            if (i == index)
            {
                return true;
            }
        }
    }
}
