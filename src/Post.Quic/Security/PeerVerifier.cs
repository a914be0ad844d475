using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Post.Sockets;

namespace Post.Quic.Security;

/// <summary>
/// Judges the peer's certificate by what a <see cref="Remote"/> or a listener trusts, in the form that .NET's TLS options
/// ask for, and says afterwards who the peer proved to be.
/// </summary>
internal sealed class PeerVerifier
{
    private readonly PeerTrust? _trust;
    private readonly bool _peerIsServer;

    private PeerVerifier(PeerTrust? trust, bool peerIsServer)
    {
        _trust = trust;
        _peerIsServer = peerIsServer;
    }

    /// <summary>For a client: the server is the remote.</summary>
    public static PeerVerifier OfServer(Remote remote) => new(remote.Trust, peerIsServer: true);

    /// <summary>For a listener; null asks clients for nothing.</summary>
    public static PeerVerifier OfClients(PeerTrust? trust) => new(trust, peerIsServer: false);

    /// <summary>What was wrong with the certificate that was judged last; null where nothing was.</summary>
    public PeerRefusal? Refusal { get; private set; }

    /// <summary>The signature of <see cref="RemoteCertificateValidationCallback"/>.</summary>
    public bool Verify(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (_trust is null)
        {
            return true;
        }

        if (certificate is not X509Certificate2 presented)
        {
            Refusal = new PeerRefusal("The peer showed no certificate.");
            return false;
        }

        try
        {
            bool accepts = _trust.Proof switch
            {
                // A pinned key is its own proof: who signed the certificate, and until when, says nothing more.
                PeerProof.PinnedKey => IsPinned(presented),
                PeerProof.Callback => _trust.Validator!(presented, chain, errors),
                PeerProof.CertificateAuthority => IsVouchedFor(presented, errors),
                _ => false,
            };
            Refusal = accepts ? null : new PeerRefusal(Describe(presented, chain, errors));
            return accepts;
        }
        catch (Exception exception)
        {
            Refusal = new PeerRefusal(
                $"The certificate validation callback of this side threw {exception.GetType().Name}: {exception.Message}", exception);
            throw;
        }
    }

    /// <summary>Who the peer is, once its certificate was accepted.</summary>
    public PeerIdentity Identify(X509Certificate? certificate, string? connectedName)
    {
        if (_trust is null || certificate is null)
        {
            return PeerIdentity.Anonymous;
        }

        X509Certificate2 presented = certificate as X509Certificate2 ?? new X509Certificate2(certificate);
        return new PeerIdentity
        {
            Proof = _trust.Proof,
            Name = _trust.Proof == PeerProof.CertificateAuthority ? ValidatedName(presented, connectedName) : null,
            Key = KeyFingerprint.Of(presented),
            Certificate = presented,
        };
    }

    /// <summary>Who the peer is, once its key without a certificate was accepted.</summary>
    /// <param name="subjectPublicKeyInfo">The key.</param>
    public PeerIdentity IdentifyKey(ReadOnlyMemory<byte> subjectPublicKeyInfo) => _trust is null
        ? PeerIdentity.Anonymous
        : new PeerIdentity { Proof = _trust.Proof, Key = KeyFingerprint.OfPublicKey(subjectPublicKeyInfo.Span), BareKey = subjectPublicKeyInfo };

    /// <summary>The identity of the peer, once the handshake is complete; where a proof was asked for, it was given.</summary>
    /// <param name="certificate">What it showed.</param>
    /// <param name="connectedName">The name that was connected to.</param>
    /// <param name="ofSession">Who the peer proved to be when the session was made that it resumed; it then shows no certificate.</param>
    /// <exception cref="AuthenticationException">It showed none, and resumed no session of ours.</exception>
    public PeerIdentity IdentifyProven(X509Certificate? certificate, string? connectedName, PeerIdentity? ofSession = null)
    {
        if (_trust is null || certificate is not null)
        {
            return Identify(certificate, connectedName);
        }

        return ofSession ?? throw new AuthenticationException("The peer showed no certificate.");
    }

    private string Describe(X509Certificate2 presented, X509Chain? chain, SslPolicyErrors errors)
    {
        KeyFingerprint key = KeyFingerprint.Of(presented);
        return _trust!.Proof switch
        {
            PeerProof.PinnedKey => $"The peer's key is {key}; expected was {string.Join(" or ", _trust.PinnedKeys)}. "
                + "Correct the pin if the peer's key was changed on purpose; if not, somebody else answers there.",
            PeerProof.Callback => $"The validation callback of this side did not accept it. The peer's key is {key}.",
            _ => $"No authority that this machine trusts vouches for it ({errors}: {string.Join(", ", StatusOf(chain))}). "
                + $"Trust its authority, or pin its key, {key}; a peer must also send the certificates between its own and the root.",
        };
    }

    private static IEnumerable<X509ChainStatusFlags> StatusOf(X509Chain? chain) => chain is null
        ? [X509ChainStatusFlags.NoError]
        : chain.ChainStatus.Select(static status => status.Status);

    private bool IsPinned(X509Certificate2 certificate)
    {
        KeyFingerprint presented = KeyFingerprint.Of(certificate);
        bool found = false;
        foreach (KeyFingerprint pinned in _trust!.PinnedKeys)
        {
            found |= pinned == presented;
        }

        return found;
    }

    private bool IsVouchedFor(X509Certificate2 certificate, SslPolicyErrors errors)
    {
        if (_peerIsServer)
        {
            // The platform compared the name: it is the TargetHost that we gave it.
            return errors == SslPolicyErrors.None;
        }

        // No name was connected to, so the platform had none to compare.
        return (errors & ~SslPolicyErrors.RemoteCertificateNameMismatch) == SslPolicyErrors.None
            && (_trust!.Name is not { } name || certificate.MatchesHostname(name));
    }

    private string? ValidatedName(X509Certificate2 certificate, string? connectedName) =>
        _trust!.Name ?? (_peerIsServer ? connectedName : certificate.GetNameInfo(X509NameType.SimpleName, forIssuer: false));
}
