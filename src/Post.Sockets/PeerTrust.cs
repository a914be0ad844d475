using System.Collections.Immutable;

namespace Post.Sockets;

/// <summary>What a peer must prove. A peer is asked for exactly one kind of proof.</summary>
public sealed class PeerTrust
{
    private PeerTrust(PeerProof proof, string? name, ImmutableArray<KeyFingerprint> keys, PeerValidator? validator)
    {
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

    /// <summary>The application's own judgement, with <see cref="PeerProof.Callback"/>.</summary>
    public PeerValidator? Validator { get; }

    /// <summary>A chain to a root that this machine trusts, and the peer's name in the certificate.</summary>
    /// <param name="name">The name expected; null: the name connected to. For clients, null accepts any name of the chain.</param>
    public static PeerTrust CertificateAuthority(string? name = null) => new(PeerProof.CertificateAuthority, name, [], null);

    /// <summary>One of these public keys; who signed the certificate and when it expires does not matter.</summary>
    /// <param name="keys">At least one.</param>
    public static PeerTrust Pinned(params IEnumerable<KeyFingerprint> keys)
    {
        ArgumentNullException.ThrowIfNull(keys);
        var pinned = keys.ToImmutableArray();
        if (pinned.IsEmpty)
        {
            throw new ArgumentException("Pin at least one key; without any, no peer could connect.", nameof(keys));
        }

        return new PeerTrust(PeerProof.PinnedKey, null, pinned, null);
    }

    /// <summary>The application decides.</summary>
    /// <param name="validator">Gets the identity and what the chain's validation found; true accepts. It must not block for long.</param>
    public static PeerTrust Callback(PeerValidator validator)
    {
        ArgumentNullException.ThrowIfNull(validator);
        return new PeerTrust(PeerProof.Callback, null, [], validator);
    }
}
