namespace Post.Quic.Engine.Tls.Certificates;

/// <summary>What a peer showed of itself and the rules to judge it by: all that is needed to answer on any thread.</summary>
internal sealed class CertificateValidationRequest(
    CertificatePolicy policy,
    PeerCredential peer,
    string expectedHost,
    DateTimeOffset time)
{
    /// <summary>What it showed, whose key it has proven to hold.</summary>
    public PeerCredential Peer { get; } = peer;

    /// <summary>The name the certificate must bear; empty where a client is judged.</summary>
    public string ExpectedHost { get; } = expectedHost;

    /// <summary>The moment the certificates must be valid at.</summary>
    public DateTimeOffset Time { get; } = time;

    /// <summary>The verdict needs neither the application nor a chain, so that it can be given at once on any thread.</summary>
    public bool IsQuick => policy.PinnedPublicKeys.Count != 0;

    /// <summary>Judges. It may run the user's callback, and wait for the network when revocation is checked online.</summary>
    public CertificateValidationResult Validate() => policy.Judge(this);
}
