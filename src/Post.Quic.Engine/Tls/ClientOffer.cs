using System.Net.Security;
using Post.Quic.Engine.Tls.Alerts;
using Post.Quic.Engine.Tls.Messages;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Tls;

/// <summary>The extensions of a ClientHello as the server needs them, with the checks that need no options of ours.</summary>
internal readonly ref struct ClientOffer
{
    private const byte PskWithDiffieHellman = 1;

    public ClientHello Hello { get; private init; }

    public string ServerName { get; private init; }

    public List<SslApplicationProtocol> ApplicationProtocols { get; private init; }

    public ReadOnlySpan<byte> TransportParameters { get; private init; }

    /// <summary>Pairs of bytes.</summary>
    public ReadOnlySpan<byte> Groups { get; private init; }

    /// <summary>Pairs of bytes; empty where a resuming client sent none.</summary>
    public ReadOnlySpan<byte> SignatureSchemes { get; private init; }

    /// <summary>The body of key_share; see <see cref="KeyShareEntries"/>.</summary>
    public ReadOnlySpan<byte> KeyShares { get; private init; }

    public int KeyShareCount { get; private init; }

    /// <summary>What the client can show, a <see cref="CertificateType"/> a byte, in its order of preference.</summary>
    public ReadOnlySpan<byte> ClientCertificateTypes { get; private init; }

    /// <summary>What the client takes, likewise.</summary>
    public ReadOnlySpan<byte> ServerCertificateTypes { get; private init; }

    /// <summary>The client listed what it can show: a server that asks for it answers with a choice.</summary>
    public bool ListsClientTypes { get; private init; }

    public bool ListsServerTypes { get; private init; }

    public bool TakesTickets { get; private init; }

    public bool OffersEarlyData { get; private init; }

    public bool OffersKeys { get; private init; }

    public PreSharedKeys PreSharedKeys { get; private init; }

    public static TransportError Read(ClientHello hello, out ClientOffer offer)
    {
        offer = default;
        ExtensionBlock extensions = hello.Extensions;

        // RFC 9001 section 8.2: without transport parameters there is no QUIC.
        if (!extensions.TryFind(ExtensionType.QuicTransportParameters, out ReadOnlySpan<byte> parameters))
        {
            return TlsError.Missing("The client sent no transport parameters.");
        }

        // RFC 9001 section 8.1: without a protocol the connection ends with no_application_protocol.
        if (!extensions.TryFind(ExtensionType.ApplicationLayerProtocolNegotiation, out ReadOnlySpan<byte> body))
        {
            return TlsError.Alert(TlsAlert.NoApplicationProtocol, "The client offered no application protocol.");
        }

        if (!ProtocolNames.TryRead(body, out List<SslApplicationProtocol> protocols))
        {
            return TlsError.Decode("The application protocols are malformed.");
        }

        string name = string.Empty;
        if (extensions.TryFind(ExtensionType.ServerName, out body))
        {
            TransportError error = ServerNames.Read(body, out name);
            if (error.IsError)
            {
                return error;
            }
        }

        return ReadKeyExchange(extensions, out ReadOnlySpan<byte> groups, out ReadOnlySpan<byte> shares, out int count) is { IsError: true } bad
            ? bad
            : ReadAuthentication(
                extensions,
                new ClientOffer
                {
                    Hello = hello,
                    ServerName = name,
                    ApplicationProtocols = protocols,
                    TransportParameters = parameters,
                    Groups = groups,
                    KeyShares = shares,
                    KeyShareCount = count,
                },
                out offer);
    }

    private static TransportError ReadKeyExchange(
        ExtensionBlock extensions, out ReadOnlySpan<byte> groups, out ReadOnlySpan<byte> shares, out int count)
    {
        count = 0;
        shares = default;
        groups = default;

        // RFC 8446 section 9.2: both or neither; neither is of no use, since we do nothing without Diffie-Hellman.
        if (!extensions.TryFind(ExtensionType.SupportedGroups, out ReadOnlySpan<byte> body) ||
            !extensions.TryFind(ExtensionType.KeyShare, out shares))
        {
            return TlsError.Missing("The client sent no supported_groups or no key_share.");
        }

        return VectorReading.TryReadNumbers(body, out groups)
            ? KeyShareEntries.Check(shares, groups, out count)
            : TlsError.Decode("supported_groups is malformed.");
    }

    private static TransportError ReadAuthentication(ExtensionBlock extensions, ClientOffer partial, out ClientOffer offer)
    {
        offer = default;
        ReadOnlySpan<byte> schemes = default;
        if (extensions.TryFind(ExtensionType.SignatureAlgorithms, out ReadOnlySpan<byte> body) &&
            !VectorReading.TryReadNumbers(body, out schemes))
        {
            return TlsError.Decode("signature_algorithms is malformed.");
        }

        TransportError bad = CertificateTypes.ReadOffered(
            extensions, ExtensionType.ClientCertificateType, out ReadOnlySpan<byte> clientTypes, out bool listsClientTypes);
        if (bad.IsError)
        {
            return bad;
        }

        bad = CertificateTypes.ReadOffered(
            extensions, ExtensionType.ServerCertificateType, out ReadOnlySpan<byte> serverTypes, out bool listsServerTypes);
        if (bad.IsError)
        {
            return bad;
        }

        bool hasModes = extensions.TryFind(ExtensionType.PskKeyExchangeModes, out body);
        ReadOnlySpan<byte> modes = default;
        if (hasModes)
        {
            var reader = new WireReader(body);
            if (!reader.TryReadVector8(out modes) || !reader.IsEmpty || modes.IsEmpty)
            {
                return TlsError.Decode("psk_key_exchange_modes is malformed.");
            }
        }

        bool offersEarlyData = extensions.TryFind(ExtensionType.EarlyData, out body);
        if (offersEarlyData && !body.IsEmpty)
        {
            return TlsError.Decode("early_data is not empty.");
        }

        PreSharedKeys keys = default;
        bool offersKeys = extensions.TryFind(ExtensionType.PreSharedKey, out body);
        if (offersKeys)
        {
            TransportError error = PreSharedKeys.Parse(body, out keys);
            if (error.IsError)
            {
                return error;
            }

            // RFC 8446 section 4.2.11: the last extension, since its binders cover all before it.
            if (!extensions.IsLast(ExtensionType.PreSharedKey))
            {
                return TlsError.Illegal("pre_shared_key is not the last extension.");
            }

            // RFC 8446 section 4.2.9: keys without their modes.
            if (!hasModes)
            {
                return TlsError.Missing("pre_shared_key came without psk_key_exchange_modes.");
            }
        }
        else if (offersEarlyData)
        {
            // RFC 8446 section 4.2.10: early data is sent under a pre-shared key.
            return TlsError.Illegal("early_data came without pre_shared_key.");
        }
        else if (schemes.IsEmpty)
        {
            // RFC 8446 section 9.2: a certificate needs signature_algorithms.
            return TlsError.Missing("The client sent no signature_algorithms.");
        }

        offer = new ClientOffer
        {
            Hello = partial.Hello,
            ServerName = partial.ServerName,
            ApplicationProtocols = partial.ApplicationProtocols,
            TransportParameters = partial.TransportParameters,
            Groups = partial.Groups,
            KeyShares = partial.KeyShares,
            KeyShareCount = partial.KeyShareCount,
            SignatureSchemes = schemes,
            ClientCertificateTypes = clientTypes,
            ServerCertificateTypes = serverTypes,
            ListsClientTypes = listsClientTypes,
            ListsServerTypes = listsServerTypes,
            TakesTickets = modes.Contains(PskWithDiffieHellman),
            OffersEarlyData = offersEarlyData,
            OffersKeys = offersKeys,
            PreSharedKeys = keys,
        };
        return default;
    }
}
