namespace Post.Quic.Engine.Paths;

/// <summary>
/// Until an address is validated, at most three times the bytes that came from it go to it (RFC 9000 section 8), whole
/// datagrams counted both ways: else a forged source address makes us shout at somebody else.
/// </summary>
internal struct AntiAmplification
{
    private const long Factor = 3;

    private long _received;
    private long _sent;

    public bool IsValidated { get; private set; }

    /// <summary>Bytes that may still be sent.</summary>
    public readonly long Budget => IsValidated ? long.MaxValue : Math.Max(0, (_received * Factor) - _sent);

    public void OnReceived(int bytes) => _received += bytes;

    public void OnSent(int bytes) => _sent += bytes;

    public void Validate() => IsValidated = true;
}
