namespace Post.Quic.Engine.Paths.Scheduling;

/// <summary>What is to be sent next.</summary>
internal enum SendKind : byte
{
    /// <summary>Much, which is to be complete as early as can be.</summary>
    Bulk,

    /// <summary>More urgent than other things that wait: it goes by the path that gets it there first.</summary>
    Urgent,

    /// <summary>Lost or overdue on a path, or needed by the connection itself: likewise.</summary>
    Repair,
}
