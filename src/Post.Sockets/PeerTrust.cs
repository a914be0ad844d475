using System.Collections.Immutable;

namespace Post.Sockets;

/// <summary>What a peer must prove. A peer is asked for exactly one kind of proof.</summary>
public sealed class PeerTrust
{
    private PeerTrust(
        PeerProof proof,
        string? name,
        ImmutableArray<KeyFingerprint> keys,
        PeerValidator? validator,
        bool takesBareKeys = false,
        bool takesCertificates = true,
        KeyValidator? keyValidator = null)
    {
        TakesBareKeys = takesBareKeys;
        TakesCertificates = takesCertificates;
        KeyValidator = keyValidator;
        Proof = proof;
        Name = name;
        PinnedKeys = keys;
        Validator = validator;
    }

    /// <summary>The kind of proof.</summary>
    public PeerProof Proof { get; }

    /// <summary>The name to be found in the certificate; null means the name that was connected to.</summary>
    public string? Name { get; }

    /// <summary>The keys that are trusted, with <see cref="PeerProof.PinnedKey"/>.</summary>
    public IReadOnlyList<KeyFingerprint> PinnedKeys { get; }

    /// <summary>The application's own judgement of certificates, with <see cref="PeerProof.Callback"/>.</summary>
    public PeerValidator? Validator { get; }

    /// <summary>The application's own judgement of keys that come without certificates, with <see cref="PeerProof.Callback"/>.</summary>
    public KeyValidator? KeyValidator { get; }

    /// <summary>The peer may show a certificate.</summary>
    public bool TakesCertificates { get; }

    /// <summary>The peer may show its key without a certificate; where it may show both, certificates come first.</summary>
    public bool TakesBareKeys { get; }

    /// <summary>A chain to a root that this machine trusts, and the peer's name in the certificate.</summary>
    /// <param name="name">The name expected; null: the name connected to. For clients, null accepts any name of the chain.</param>
    public static PeerTrust CertificateAuthority(string? name = null) => new(PeerProof.CertificateAuthority, name, [], null);

    /// <summary>
    /// One of these public keys; who signed the certificate and when it expires does not matter. A peer without a certificate may show the key
    /// alone, where the transport supports it.
    /// </summary>
    /// <param name="keys">At least one.</param>
    public static PeerTrust Pinned(params IEnumerable<KeyFingerprint> keys) => OfKeys(keys, takesCertificates: true);

    /// <summary>One of these public keys, shown without a certificate: for peers that have certificates for other keys beside them.</summary>
    /// <param name="keys">At least one.</param>
    public static PeerTrust BareKey(params IEnumerable<KeyFingerprint> keys) => OfKeys(keys, takesCertificates: false);

    /// <summary>A public key without a certificate, of which the application decides.</summary>
    /// <param name="validator">Gets the key; true accepts. It must not block for long.</param>
    public static PeerTrust BareKey(KeyValidator validator)
    {
        ArgumentNullException.ThrowIfNull(validator);
        return new PeerTrust(PeerProof.Callback, null, [], null, takesBareKeys: true, takesCertificates: false, validator);
    }

    /// <summary>The application decides.</summary>
    /// <param name="validator">Gets the identity and what the chain's validation found; true accepts. It must not block for long.</param>
    public static PeerTrust Callback(PeerValidator validator)
    {
        ArgumentNullException.ThrowIfNull(validator);
        return new PeerTrust(PeerProof.Callback, null, [], validator);
    }

    private static PeerTrust OfKeys(IEnumerable<KeyFingerprint> keys, bool takesCertificates)
    {
        ArgumentNullException.ThrowIfNull(keys);
        var pinned = keys.ToImmutableArray();
        if (pinned.IsEmpty)
        {
            throw new ArgumentException("Pin at least one key; without any, no peer could connect.", nameof(keys));
        }

        return new PeerTrust(PeerProof.PinnedKey, null, pinned, null, takesBareKeys: true, takesCertificates);
    }
}
