using Post.Quic.Engine.Crypto;
using Post.Quic.Engine.Tls.Alerts;
using Post.Quic.Engine.Tls.Messages;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Tls;

/// <summary>What a client may change in its ClientHello after a HelloRetryRequest (RFC 8446 section 4.1.2).</summary>
internal static class SecondHelloRules
{
    public static TransportError Check(
        ClientHello first, ClientOffer second, NamedGroup group, ReadOnlySpan<byte> cookie)
    {
        ClientHello hello = second.Hello;
        if (!first.Random.SequenceEqual(hello.Random) ||
            !first.CipherSuites.SequenceEqual(hello.CipherSuites) ||
            !IsContained(first.Extensions, hello.Extensions) ||
            !IsContained(hello.Extensions, first.Extensions))
        {
            return TlsError.Illegal("The second ClientHello differs where it must not.");
        }

        // RFC 8446 section 4.2.10: no early data after a HelloRetryRequest.
        if (second.OffersEarlyData)
        {
            return TlsError.Illegal("The second ClientHello offers early data.");
        }

        // RFC 8446 section 4.2.8: one share, of the group that was asked for.
        if (second.KeyShareCount != 1 || !KeyShareEntries.TryFind(second.KeyShares, group, out _))
        {
            return TlsError.Illegal("The second ClientHello does not have the share that was asked for.");
        }

        return CheckCookie(hello.Extensions, cookie);
    }

    // RFC 8446 section 4.2.2: the cookie comes back as it was sent.
    private static TransportError CheckCookie(ExtensionBlock extensions, ReadOnlySpan<byte> cookie)
    {
        bool hasCookie = extensions.TryFind(ExtensionType.Cookie, out ReadOnlySpan<byte> body);
        if (cookie.IsEmpty)
        {
            return hasCookie ? TlsError.Illegal("The client sent a cookie that it was not given.") : default;
        }

        if (!hasCookie)
        {
            return TlsError.Missing("The client did not return the cookie.");
        }

        var reader = new WireReader(body);
        return reader.TryReadVector16(out ReadOnlySpan<byte> returned) && reader.IsEmpty && returned.SequenceEqual(cookie)
            ? default
            : TlsError.Illegal("The client returned another cookie.");
    }

    private static bool IsContained(ExtensionBlock part, ExtensionBlock whole)
    {
        foreach (ExtensionBlock.Entry entry in part)
        {
            if (MayChange(entry.Type))
            {
                continue;
            }

            if (!whole.TryFind(entry.Type, out ReadOnlySpan<byte> body) || !body.SequenceEqual(entry.Body))
            {
                return false;
            }
        }

        return true;
    }

    private static bool MayChange(ExtensionType type) => type is
        ExtensionType.KeyShare or
        ExtensionType.EarlyData or
        ExtensionType.Cookie or
        ExtensionType.PreSharedKey or
        ExtensionType.Padding;
}
