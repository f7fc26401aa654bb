def filter(event)
  [event]
end

test "one event" do
  in_event { { "a" => 1 } }
  expect("two") { |events| events.size == 2 }
end
