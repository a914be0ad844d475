namespace Post.Quic.Engine.Paths;

/// <summary>How good a path is for content: one of a later grade is used only where there is none of an earlier.</summary>
internal enum PathGrade : byte
{
    /// <summary>Neither side keeps it back, and it answers.</summary>
    Available,

    /// <summary>It answers, and is kept for when nothing else works.</summary>
    Backup,

    /// <summary>It is silent; what is sent on it may be lost.</summary>
    Suspect,

    /// <summary>It has been silent for longer.</summary>
    Failing,

    /// <summary>It is not validated, or given up.</summary>
    None,
}
