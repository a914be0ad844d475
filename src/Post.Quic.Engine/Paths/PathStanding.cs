namespace Post.Quic.Engine.Paths;

/// <summary>What a path's silence says of it.</summary>
internal enum PathStanding : byte
{
    /// <summary>It acknowledges what it is sent, or owes nothing.</summary>
    Good,

    /// <summary>It has owed acknowledgements for two probe timeouts: what it holds is given to the other paths.</summary>
    Suspect,

    /// <summary>For three: it carries nothing but probes while another path works.</summary>
    Failing,
}
