namespace Post.Quic.Engine.Paths;

/// <summary>
/// Everything that belongs to one way between the two ends, and would be another's on another way: addresses,
/// connection ids, validation, the limit on amplification, and what was counted.
/// </summary>
internal sealed class PathState
{
    public PathState(int id, in NetworkAddress local, in NetworkAddress remote)
    {
        Id = id;
        Local = local;
        Remote = remote;
    }

    /// <summary>Names the path to the layer above; never used twice in a connection.</summary>
    public int Id { get; }

    public NetworkAddress Local { get; set; }

    public NetworkAddress Remote { get; }

    /// <summary>The id of the peer's that packets on this path go to.</summary>
    public RemoteConnectionId RemoteId { get; set; }

    /// <summary>The sequence number of our id that the peer last used on this path.</summary>
    public ulong LocalIdSequence { get; set; }

    /// <summary>
    /// The limit on what goes to an address that is not validated. A field: the struct is changed in place.
    /// </summary>
    public AntiAmplification Amplification;

    public PathValidation Validation;

    public PathResponses Responses;

    public bool IsValidated => Amplification.IsValidated;
}
