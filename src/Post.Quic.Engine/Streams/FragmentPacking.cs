using Post.Quic.Engine.Bounds;

namespace Post.Quic.Engine.Streams;

/// <summary>
/// Moves pieces that wait, so that neither the memory they pin nor their number grows beyond what their bytes are worth.
/// </summary>
internal static class FragmentPacking
{
    // Merging is worth its work where it frees so much of the room for pieces.
    private const int MergeableShare = 4;

    /// <summary>Copies all pieces together: small ones that outlive their neighbours pin whole blocks.</summary>
    public static void Pack(ref FragmentList fragments, AssemblyBlocks blocks)
    {
        blocks.RentedSincePacked = 0;
        for (int i = 0; i < fragments.Count; i++)
        {
            fragments[i] = Move(in fragments[i], blocks);
        }
    }

    /// <summary>
    /// Small pieces without a gap between them, of a sender whose small frames came in the wrong order, become one. Only
    /// where that frees a good part of them all, or a peer could have it done for every frame.
    /// </summary>
    public static bool TryMerge(ref FragmentList fragments, AssemblyBlocks blocks)
    {
        int mergeable = 0;
        for (int i = 1; i < fragments.Count; i++)
        {
            mergeable += BelongTogether(fragments[i - 1], fragments[i]) ? 1 : 0;
        }

        if (mergeable < fragments.Count / MergeableShare)
        {
            return false;
        }

        int kept = 0;
        for (int first = 0; first < fragments.Count;)
        {
            int end = first + 1;
            int length = fragments[first].Length;
            while (end < fragments.Count
                && BelongTogether(fragments[end - 1], fragments[end])
                && length + fragments[end].Length <= AssemblyBlocks.Largest)
            {
                length += fragments[end++].Length;
            }

            fragments[kept++] = end == first + 1 ? fragments[first] : Merge(in fragments, first, end, length, blocks);
            first = end;
        }

        fragments.KeepFirst(kept);
        return true;
    }

    private static bool BelongTogether(in Fragment one, in Fragment other) =>
        one.End == other.Offset
        && one.Length < Limits.StreamBytesPerExtraFragment
        && other.Length < Limits.StreamBytesPerExtraFragment;

    private static Fragment Merge(in FragmentList fragments, int first, int end, int length, AssemblyBlocks blocks)
    {
        MemoryBlock target = blocks.ForPacking(length);
        var merged = new Fragment(fragments[first].Offset, target, target.Used, length);
        target.References++;
        for (int i = first; i < end; i++)
        {
            Fragment part = fragments[i];
            part.Bytes.CopyTo(target.Bytes.AsSpan(target.Used));
            target.Used += part.Length;
            blocks.Dereference(part.Block);
        }

        return merged;
    }

    private static Fragment Move(in Fragment fragment, AssemblyBlocks blocks)
    {
        MemoryBlock target = blocks.ForPacking(fragment.Length);
        var moved = new Fragment(fragment.Offset, target, target.Used, fragment.Length);
        fragment.Bytes.CopyTo(target.Bytes.AsSpan(target.Used));
        target.Used += fragment.Length;
        target.References++;
        blocks.Dereference(fragment.Block);
        return moved;
    }
}
